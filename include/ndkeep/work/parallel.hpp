// SPDX-License-Identifier: BSD-3-Clause
// parallel_for: calls a function for each index of a range, on several threads.
#pragma once

#include <ndkeep/work/progress.hpp>

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Calls `function(index)` once for each index below `count`, on several threads and in no particular order. Each item
/// counts 1 in `meter`.
///
/// The calling thread takes part. With one thread or one item, no thread is started, nothing is allocated, and the
/// indexes come in order.
///
/// If a call throws, no further call begins. When all calls that have begun have ended, the exception of the lowest
/// failing index is thrown, as by a plain loop.
///
/// @throws io_error  operation_canceled
template <std::invocable<std::size_t> Function>
void parallel_for(std::size_t count, progress_meter& meter, Function&& function);

/// The same, with progress in items only.
template <std::invocable<std::size_t> Function>
void parallel_for(std::size_t count, const run_options& run, Function&& function);

namespace detail {

/// The number of threads for `count` items, the calling thread included.
[[nodiscard]] unsigned threads_for(std::size_t count, const run_options& run) noexcept;

/// The items of one `parallel_for`, which its threads share. It is not a template, so that it is compiled once.
class shared_work {
  public:
    using item_call = void (*)(void* function, std::size_t index);

    shared_work(std::size_t count, progress_meter& meter, item_call call, void* function) noexcept
        : count_(count), meter_(meter), call_(call), function_(function) {}

    /// Processes the items in the calling thread and in up to `threads` - 1 helpers. Returns when all have ended.
    void run(unsigned threads);

  private:
    /// The helper threads. The destructor lets no further item begin and joins them, also when the caller throws.
    struct crew {
        crew(shared_work& shared, unsigned size);
        crew(const crew&) = delete;
        crew& operator=(const crew&) = delete;
        ~crew();

        shared_work& work;
        std::vector<std::thread> threads;
    };

    /// The body of a helper thread.
    void help() noexcept;

    /// Takes the next index and calls the function with it. False if no index is left, or if no further one may begin.
    ///
    /// Every index that is taken is called. Indexes are taken in order, so all below a failing one are called too, and
    /// the lowest failing index is known at the end.
    bool take_one() noexcept;

    const std::size_t count_;
    progress_meter& meter_;
    const item_call call_;
    void* const function_;
    std::atomic<std::size_t> next_ = 0;
    std::atomic<std::size_t> done_ = 0;
    std::atomic<bool> abandoned_ = false;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t helpers_done_ = 0;
    std::exception_ptr failure_;
    std::size_t failed_ = 0;
};

}  // namespace detail

template <std::invocable<std::size_t> Function>
void parallel_for(std::size_t count, progress_meter& meter, Function&& function) {
    const unsigned threads = detail::threads_for(count, meter.run());
    if (threads > 1) {
        // A lambda is always an object, and not const: a void* can point to it, whatever `Function` is.
        auto item = [&function](std::size_t index) { std::invoke(function, index); };
        const auto call = [](void* at, std::size_t index) { (*static_cast<decltype(item)*>(at))(index); };
        detail::shared_work(count, meter, call, &item).run(threads);
        return;
    }
    for (std::size_t index = 0; index < count; ++index) {
        std::invoke(function, index);
        meter.add(1);
        meter.report();
    }
}

template <std::invocable<std::size_t> Function>
void parallel_for(std::size_t count, const run_options& run, Function&& function) {
    progress_meter meter(run, {.items_total = count});
    parallel_for(count, meter, function);
    meter.finish();
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/work/parallel.ipp>
#endif
