// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/work/parallel.hpp>.
#pragma once

#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE progress_meter::progress_meter(const run_options& run, progress begin, first_report when)
    : run_(run), told_(std::move(begin)) {
    if (when == first_report::now)
        tell(std::chrono::steady_clock::now());
}

NDKEEP_INLINE void progress_meter::add(std::uint64_t items, std::uint64_t bytes) noexcept {
    items_.fetch_add(items, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

NDKEEP_INLINE bool progress_meter::stopped() const noexcept {
    return run_.stop != nullptr && run_.stop->load(std::memory_order_relaxed);
}

NDKEEP_INLINE void progress_meter::report() {
    if (!goes_on())
        throw canceled();
}

NDKEEP_INLINE bool progress_meter::goes_on() {
    if (stopped())
        return false;
    if (!run_.progress)
        return true;
    const auto now = std::chrono::steady_clock::now();
    return now - last_ < interval || is_told(now);
}

NDKEEP_INLINE io_error progress_meter::canceled() const {
    return {told_.file, told_.phase.empty() ? "stopped" : told_.phase + " stopped",
            std::make_error_code(std::errc::operation_canceled)};
}

NDKEEP_INLINE void progress_meter::tell(std::chrono::steady_clock::time_point now) {
    if (stopped() || !is_told(now))
        throw canceled();
}

NDKEEP_INLINE bool progress_meter::is_told(std::chrono::steady_clock::time_point now) {
    if (!run_.progress)
        return true;
    last_ = now;
    told_.items = items_.load(std::memory_order_relaxed);
    told_.bytes = bytes_.load(std::memory_order_relaxed);
    told_.elapsed = now - begin_;
    return run_.progress(told_) == flow::go;
}

namespace detail {

NDKEEP_INLINE alongside::alongside(std::function<void()> work) : work_(std::move(work)) {
    try {
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
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
        lock.unlock();
        meter.report();
    }
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

NDKEEP_INLINE unsigned threads_for(std::size_t count, const run_options& run) noexcept {
    if (count <= 1 || run.threads == 1)
        return 1;
    const unsigned wanted = run.threads != 0 ? run.threads : std::max(1U, std::thread::hardware_concurrency());
    return static_cast<unsigned>(std::min<std::size_t>(wanted, count));
}

NDKEEP_INLINE void shared_work::run(unsigned threads) {
    {
        crew helpers{*this, threads - 1};
        while (take_one())
            meter_.report();
        for (std::unique_lock lock(mutex_); helpers_done_ != helpers.threads.size(); lock.lock()) {
            changed_.wait_for(lock, progress_meter::interval);
            lock.unlock();
            meter_.report();
        }
    }
    if (failure_)
        std::rethrow_exception(failure_);
    // The stop flag may have been lowered again since a helper saw it.
    if (done_.load() != count_)
        throw meter_.canceled();
}

NDKEEP_INLINE shared_work::crew::crew(shared_work& shared, unsigned size) : work(shared) {
    threads.reserve(size);
    try {
        while (threads.size() < size)
            threads.emplace_back([this] { work.help(); });
    } catch (const std::exception&) {
        // The system has no more threads to give: those that are there do the work.
    }
}

NDKEEP_INLINE shared_work::crew::~crew() {
    work.abandoned_ = true;
    for (std::thread& thread : threads)
        thread.join();
}

NDKEEP_INLINE void shared_work::help() noexcept {
    while (take_one()) {
    }
    const std::scoped_lock lock(mutex_);
    ++helpers_done_;
    changed_.notify_one();
}

NDKEEP_INLINE bool shared_work::take_one() noexcept {
    if (abandoned_.load(std::memory_order_relaxed) || meter_.stopped())
        return false;
    const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= count_)
        return false;
    try {
        call_(function_, index);
        done_.fetch_add(1, std::memory_order_relaxed);
        meter_.add(1);
    } catch (...) {
        const std::scoped_lock lock(mutex_);
        if (!failure_ || index < failed_) {
            failure_ = std::current_exception();
            failed_ = index;
        }
        abandoned_ = true;
    }
    return true;
}

}  // namespace detail

}  // namespace ndkeep::inline NDKEEP_ABI
