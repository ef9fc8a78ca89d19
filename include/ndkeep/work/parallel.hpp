// SPDX-License-Identifier: BSD-3-Clause
// Parallel loops, and work beside the calling thread.
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

/// Calls `function(index)` once for every index below `count`, on several threads and in no order.
///
/// The calling thread works too. With one thread, or one item, there is nothing else: no thread, no allocation, and
/// the indexes in order. When functions throw, what is thrown here is what the lowest failing index threw, as a plain
/// loop would, once every call that has begun has ended; no further ones begin. Each item counts one in `meter`.
///
/// @throws io_error  operation_canceled
template <std::invocable<std::size_t> Function>
void parallel_for(std::size_t count, progress_meter& meter, Function&& function);

/// The same, where items are all the progress there is.
template <std::invocable<std::size_t> Function>
void parallel_for(std::size_t count, const run_options& run, Function&& function);

namespace detail {

/// Work that goes on beside what its caller does, in a thread if the system has one to give, else once it is waited
/// for. The destructor waits for its end, and does not say what it threw.
class alongside {
  public:
    explicit alongside(std::function<void()> work);
    alongside(const alongside&) = delete;
    alongside& operator=(const alongside&) = delete;
    ~alongside();

    /// Waits for its end, and throws what it threw.
    /// @throws io_error  operation_canceled, while the work goes on
    void finish(progress_meter& meter);

  private:
    void run() noexcept;

    std::function<void()> work_;
    std::exception_ptr failure_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_done_ = false;
    std::thread thread_;  // last, as it uses the others
};

[[nodiscard]] unsigned threads_for(std::size_t count, const run_options& run) noexcept;

/// The items of one `parallel_for` as its threads share them.
class shared_work {
  public:
    using item_call = void (*)(void* function, std::size_t index);

    shared_work(std::size_t count, progress_meter& meter, item_call call, void* function) noexcept
        : count_(count), meter_(meter), call_(call), function_(function) {}

    void run(unsigned threads);

  private:
    struct crew {
        crew(shared_work& shared, unsigned size);
        crew(const crew&) = delete;
        crew& operator=(const crew&) = delete;
        ~crew();

        shared_work& work;
        std::vector<std::thread> threads;
    };

    void help() noexcept;

    /// An index that was taken is always called: so all below a failing one are, and the lowest failure is known.
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
