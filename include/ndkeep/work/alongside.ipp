// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/work/alongside.hpp>.
#pragma once

#include <ndkeep/work/alongside.hpp>

#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE alongside::alongside(std::function<void()> work) : work_(std::move(work)) {
    try {
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
        // The system gives no thread: `finish` runs the work.
    }
}

NDKEEP_INLINE alongside::~alongside() {
    if (thread_.joinable())
        thread_.join();
}

NDKEEP_INLINE void alongside::finish(progress_meter& meter) {
    if (!thread_.joinable())
        run();
    for (std::unique_lock lock(mutex_); !is_done_; lock.lock()) {
        changed_.wait_for(lock, progress_meter::interval);
        // Not under the lock: the progress function may take long, and the thread needs the lock to end.
        lock.unlock();
        meter.report();
    }
    // The thread wrote failure_ before it set is_done_ under the lock, so it can be read without the lock now.
    if (failure_)
        std::rethrow_exception(failure_);
}

NDKEEP_INLINE void alongside::run() noexcept {
    try {
        work_();
    } catch (...) {
        failure_ = std::current_exception();
    }
    const std::scoped_lock lock(mutex_);
    is_done_ = true;
    changed_.notify_one();
}

}  // namespace ndkeep::detail
