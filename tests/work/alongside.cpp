// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/work/alongside.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace work_alongside_tests {

namespace nk = ndkeep;

TEST_CASE("work in the background is done when it has been waited for", "[work][threads]") {
    const nk::run_options run;
    nk::progress_meter meter(run);
    int done = 0;
    nk::detail::alongside work([&done] { ++done; });

    work.finish(meter);

    CHECK(done == 1);
}

TEST_CASE("an error in the background is thrown to the one who waits", "[work][threads][error]") {
    const nk::run_options run;
    nk::progress_meter meter(run);
    nk::detail::alongside work([] { throw std::runtime_error("in the background"); });

    CHECK_THROWS_AS(work.finish(meter), std::runtime_error);
}

TEST_CASE("a stop ends the waiting, and work in the background ends before its object does", "[work][threads][error]") {
    std::atomic<bool> stop = false, may_end = false, has_ended = false;
    const nk::run_options run{.stop = &stop};
    nk::progress_meter meter(run);
    {
        nk::detail::alongside work([&] {
            while (!may_end)
                std::this_thread::yield();
            has_ended = true;
        });
        stop = true;

        CHECK_THROWS_AS(work.finish(meter), nk::io_error);
        CHECK(!has_ended);
        may_end = true;
    }
    CHECK(has_ended);
}

}  // namespace work_alongside_tests
