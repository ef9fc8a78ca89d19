// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/work/progress_bar.hpp>

namespace bytes_progress_bar_tests {

using namespace ndkeep;

TEST_CASE("a progress bar escapes what a terminal would obey in the name of the file", "[bytes][progress]") {
    CHECK(progress_bar::line({.phase = "load", .items = 1, .file = "data/a\x1b[2J\xc2\x9b.npy"}) ==
          R"(load a\x1b[2J\xc2\x9b.npy  1  0:00)");
}

TEST_CASE("a progress bar says what is done of how much", "[bytes][progress]") {
    const progress half{.phase = "save",
                        .items = 1,
                        .items_total = 2,
                        .bytes = 1'000'000'000,
                        .bytes_total = 4'000'000'000,
                        .elapsed = std::chrono::seconds(64),
                        .file = "data/readings"};

    CHECK(progress_bar::line(half) ==
          "save readings  [#######.......................]  25 %  1.0 of 4.0 GB  0.0 GB/s  1:04, 3:12 left");
    CHECK(progress_bar::line({.phase = "load", .items = 3, .items_total = 3}) ==
          "load  [##############################]  100 %  3 of 3  0:00");
    CHECK(progress_bar::line({.phase = "loop",
                              .items = 1'500'000,
                              .items_total = 6'000'000,
                              .bytes = 12'000'000,
                              .elapsed = std::chrono::seconds(10),
                              .file = "mean.state"}) ==
          "loop mean.state  [#######.......................]  25 %  1.5 M of 6.0 M  150.0 k/s  0:10, 0:30 left");
    CHECK(progress_bar::line({.phase = "loop", .items = 999, .elapsed = std::chrono::seconds(3)}) ==
          "loop  999  333/s  0:03");
    CHECK(progress_bar::line({.phase = "verify"}) == "verify  0:00");
    CHECK(progress_bar(false)(half) == flow::go);
}

}  // namespace bytes_progress_bar_tests
