// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__GLIBC__)
#include <pthread.h>
#endif

namespace bytes_parallel_tests {

using namespace ndkeep;

namespace {

template <class Call>
std::error_code code_thrown_by(Call call) {
    try {
        call();
    } catch (const io_error& e) {
        return e.code();
    }
    return {};
}

void pause(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

}  // namespace

TEST_CASE("parallel_for calls every index once, with any number of threads", "[bytes][parallel]") {
    for (const unsigned threads : {0U, 1U, 2U, 3U, 16U}) {
        for (const std::size_t count : {0U, 1U, 2U, 7U, 1000U}) {
            CAPTURE(threads, count);
            std::vector<std::atomic<int>> calls(count);

            parallel_for(count, {.threads = threads}, [&](std::size_t index) { ++calls[index]; });

            CHECK(std::all_of(calls.begin(), calls.end(), [](const auto& times) { return times == 1; }));
        }
    }
}

TEST_CASE("several threads work at the same time", "[bytes][parallel]") {
    std::atomic<int> present = 0;

    // Neither call ends before the other has begun.
    parallel_for(2, {.threads = 2}, [&](std::size_t) {
        ++present;
        while (present != 2)
            std::this_thread::yield();
    });

    CHECK(present == 2);
}

TEST_CASE("one thread or one item stays in the calling thread, in order", "[bytes][parallel]") {
    std::vector<std::size_t> order;
    bool same_thread = true;
    const auto call = [&, here = std::this_thread::get_id()](std::size_t index) {
        order.push_back(index);
        same_thread = same_thread && std::this_thread::get_id() == here;
    };

    parallel_for(3, {.threads = 1}, call);
    parallel_for(1, {.threads = 8}, call);

    CHECK(order == std::vector<std::size_t>{0, 1, 2, 0});
    CHECK(same_thread);
}

TEST_CASE("the error of the lowest failing index is rethrown, whatever the threads", "[bytes][parallel][error]") {
    for (const unsigned threads : {1U, 2U, 5U}) {
        for (int time = 0; time < 20; ++time) {
            CAPTURE(threads, time);
            std::string what;
            try {
                parallel_for(100, {.threads = threads}, [](std::size_t index) {
                    if (index == 3)
                        std::this_thread::yield();
                    if (index >= 3)
                        throw std::runtime_error(std::to_string(index));
                });
            } catch (const std::runtime_error& e) {
                what = e.what();
            }

            CHECK(what == "3");
        }
    }
}

TEST_CASE("nothing further begins after a failure", "[bytes][parallel][error]") {
    std::atomic<std::size_t> calls = 0;

    CHECK_THROWS_AS(parallel_for(1'000'000'000, {.threads = 4},
                                 [&](std::size_t index) {
                                     ++calls;
                                     if (index == 10)
                                         throw std::runtime_error("ten");
                                     pause(1);
                                 }),
                    std::runtime_error);

    CHECK(calls < 1000);
}

TEST_CASE("a stop flag ends the work with operation_canceled", "[bytes][parallel]") {
    for (const unsigned threads : {1U, 3U}) {
        CAPTURE(threads);
        std::atomic<bool> stop = false;
        std::atomic<std::size_t> calls = 0;

        const auto code = code_thrown_by([&] {
            parallel_for(1'000'000'000, {.threads = threads, .stop = &stop}, [&](std::size_t) {
                if (++calls == 20)
                    stop = true;
            });
        });

        CHECK(code == std::errc::operation_canceled);
        CHECK(calls < 1000);
    }
}

TEST_CASE("a stop flag that is up already lets nothing begin", "[bytes][parallel]") {
    const std::atomic<bool> stop = true;
    bool called = false;

    const auto code = code_thrown_by([&] { parallel_for(5, {.stop = &stop}, [&](std::size_t) { called = true; }); });

    CHECK(code == std::errc::operation_canceled);
    CHECK(!called);
}

TEST_CASE("a stop flag that was up for a moment does not pass for finished work", "[bytes][parallel]") {
    std::atomic<bool> stop = false;
    std::atomic<std::size_t> calls = 0;
    std::optional<std::error_code> code;

    code = code_thrown_by([&] {
        parallel_for(100'000, {.threads = 2, .stop = &stop}, [&](std::size_t index) {
            ++calls;
            if (index == 50) {
                stop = true;
                pause(5);
                stop = false;
            }
        });
    });

    CHECK((calls == 100'000 || code == std::errc::operation_canceled));
}

TEST_CASE("progress begins with nothing, ends with everything, and stays in the calling thread", "[bytes][parallel]") {
    for (const unsigned threads : {1U, 3U}) {
        CAPTURE(threads);
        std::vector<std::uint64_t> items;
        bool same_thread = true;
        const auto begin = std::chrono::steady_clock::now();

        parallel_for(30,
                     {.threads = threads,
                      .progress =
                          [&, here = std::this_thread::get_id()](const progress& so_far) {
                              same_thread = same_thread && std::this_thread::get_id() == here;
                              CHECK(so_far.items_total == 30);
                              items.push_back(so_far.items);
                              return flow::go;
                          }},
                     [](std::size_t) { pause(10); });

        const auto intervals = (std::chrono::steady_clock::now() - begin) / progress_meter::interval;
        REQUIRE(!items.empty());
        CHECK(items.front() == 0);
        CHECK(items.back() == 30);
        CHECK(std::is_sorted(items.begin(), items.end()));
        CHECK(items.size() <= static_cast<std::size_t>(intervals) + 2);
        CHECK(same_thread);
    }
}

TEST_CASE("progress goes on while the last items are with other threads", "[bytes][parallel]") {
    const auto here = std::this_thread::get_id();
    std::atomic<bool> seen = false;
    std::atomic<bool> helping = false;
    int reports = 0;
    const auto told = [&](const progress& so_far) {
        ++reports;
        seen = so_far.items == 1;
        return flow::go;
    };

    // The calling thread's item ends once the other thread has its item, which ends once the first was reported.
    parallel_for(2, {.threads = 2, .progress = told}, [&](std::size_t) {
        if (std::this_thread::get_id() == here) {
            while (!helping)
                std::this_thread::yield();
        } else {
            helping = true;
            while (!seen)
                std::this_thread::yield();
        }
    });

    CHECK(reports >= 3);
}

TEST_CASE("progress can stop the work", "[bytes][parallel]") {
    for (const unsigned threads : {1U, 3U}) {
        CAPTURE(threads);
        const auto told = [](const progress& so_far) { return so_far.items < 5 ? flow::go : flow::stop; };

        const auto code = code_thrown_by([&] {
            parallel_for(1'000'000'000, {.threads = threads, .progress = told}, [](std::size_t) { pause(1); });
        });

        CHECK(code == std::errc::operation_canceled);
    }
}

TEST_CASE("what progress throws ends the work", "[bytes][parallel][error]") {
    const auto told = [](const progress& so_far) -> flow {
        if (so_far.items > 0)
            throw std::domain_error("enough");
        return flow::go;
    };

    CHECK_THROWS_AS(parallel_for(1'000'000'000, {.threads = 3, .progress = told}, [](std::size_t) { pause(1); }),
                    std::domain_error);
}

TEST_CASE("a meter carries phase, file and bytes over several loops", "[bytes][parallel]") {
    std::vector<progress> told;
    const run_options run = {.threads = 2, .progress = [&](const progress& so_far) {
                                 told.push_back(so_far);
                                 return flow::go;
                             }};

    progress_meter meter(run, {.phase = "verify", .items_total = 30, .bytes_total = 300, .file = "run.npz"});
    parallel_for(10, meter, [&](std::size_t) { meter.add(0, 10); });
    parallel_for(20, meter, [&](std::size_t) { meter.add(0, 10); });
    meter.finish();

    CHECK(told.front().bytes == 0);
    CHECK(told.back().items == 30);
    CHECK(told.back().bytes == 300);
    CHECK(told.back().phase == "verify");
    CHECK(told.back().file == "run.npz");
}

TEST_CASE("a stopped call says what was stopped", "[bytes][parallel][error]") {
    const std::atomic<bool> stop = true;
    const run_options run = {.stop = &stop};

    CHECK_THROWS_WITH(progress_meter(run, {.phase = "verify", .file = "run.npz"}),
                      Catch::Matchers::StartsWith("run.npz: verify stopped: "));
}

TEST_CASE("parallel_for works inside parallel_for", "[bytes][parallel]") {
    std::atomic<int> calls = 0;

    parallel_for(4, {.threads = 2},
                 [&](std::size_t) { parallel_for(5, {.threads = 2}, [&](std::size_t) { ++calls; }); });

    CHECK(calls == 20);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("without a thread to be had, the calling thread does it all", "[bytes][parallel]") {
    // No address space has room for such a stack, so no thread can be created.
    pthread_attr_t usual, impossible;
    REQUIRE(pthread_getattr_default_np(&usual) == 0);
    REQUIRE(pthread_getattr_default_np(&impossible) == 0);
    REQUIRE(pthread_attr_setstacksize(&impossible, std::size_t{1} << 50) == 0);
    REQUIRE(pthread_setattr_default_np(&impossible) == 0);
    CHECK_THROWS_AS(std::thread([] {}), std::system_error);

    std::atomic<int> calls = 0;
    parallel_for(100, {.threads = 4}, [&](std::size_t) { ++calls; });

    CHECK(pthread_setattr_default_np(&usual) == 0);
    CHECK(calls == 100);
}
#endif

}  // namespace bytes_parallel_tests
