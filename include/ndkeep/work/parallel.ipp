// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/work/parallel.hpp>.
#pragma once

#include <ndkeep/work/parallel.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE unsigned threads_for(std::size_t count, const run_options& run) noexcept {
    if (count <= 1 || run.threads == 1)
        return 1;
    const unsigned wanted = run.threads != 0 ? run.threads : std::max(1U, std::thread::hardware_concurrency());
    return static_cast<unsigned>(std::min<std::size_t>(wanted, count));
}

NDKEEP_INLINE void shared_work::run(unsigned threads) {
    {
        // If a report throws, ~crew ends the helpers before the exception leaves this scope.
        crew helpers{*this, threads - 1};
        while (take_one())
            meter_.report();
        // The size of the crew, not threads - 1: the system may have given fewer threads.
        for (std::unique_lock lock(mutex_); helpers_done_ != helpers.threads.size(); lock.lock()) {
            changed_.wait_for(lock, progress_meter::interval);
            lock.unlock();
            meter_.report();
        }
    }
    // All helpers are joined, so these members are read without the lock.
    if (failure_)
        std::rethrow_exception(failure_);
    // Counts the items instead of reading the stop flag, which may have been cleared after a helper saw it.
    if (done_.load() != count_)
        throw meter_.canceled();
}

NDKEEP_INLINE shared_work::crew::crew(shared_work& shared, unsigned size) : work(shared) {
    // Outside of the try block: if this throws, ~crew does not run, but no thread has been started.
    threads.reserve(size);
    try {
        while (threads.size() < size)
            threads.emplace_back([this] { work.help(); });
    } catch (const std::exception&) {
        // The system gives no more threads: those that have started do the work.
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
    // Relaxed: the indexes only have to differ, and the data of the items is ordered by the joins.
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

}  // namespace ndkeep
