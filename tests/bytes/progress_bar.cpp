// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/bytes/progress_bar.hpp>

using namespace ndkeep;

TEST_CASE("a progress bar says what is done of how much", "[bytes][progress]") {
    const progress half{.phase = "save",
                        .items = 1,
                        .items_total = 2,
                        .bytes = 1'000'000'000,
                        .bytes_total = 4'000'000'000,
                        .elapsed = std::chrono::seconds(64),
                        .file = "data/readings"};

    CHECK(progress_bar::line(half) == "save readings  [#######.......................]  25 %  1.0 of 4.0 GB  1:04");
    CHECK(progress_bar::line({.phase = "load", .items = 3, .items_total = 3}) ==
          "load  [##############################]  100 %  0:00");
    CHECK(progress_bar::line({.phase = "verify"}) == "verify  0:00");
    CHECK(progress_bar(false)(half) == flow::go);
}
