// SPDX-License-Identifier: BSD-3-Clause
// Statistics of arrays, computed in parallel pieces.
#include "statistics/many_numbers.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>
#include <ndkeep/statistics/statistics_of.hpp>

#include <atomic>
#include <cmath>
#include <vector>

namespace many::statistics_of_tests {

namespace nk = ndkeep;

namespace {

void check_same(const nk::statistics& a, const nk::statistics& b) {
    CHECK(a.count == b.count);
    CHECK(a.nan == b.nan);
    CHECK(a.min == b.min);
    CHECK(a.max == b.max);
    CHECK(a.mean == b.mean);
    CHECK(a.std == b.std);
}

}  // namespace

TEST_CASE("statistics_of finds the same whoever looks: one thread, several, in memory and mapped",
          "[npy][statistics][parallel]") {
    const temp_dir dir;
    const auto all = many_numbers();
    long double sum = 0;
    for (const double value : all)
        sum += std::isnan(value) ? 0 : value;

    const auto alone = nk::statistics_of(all, {.threads = 1});

    CHECK(alone.count == all.size());
    CHECK(alone.nan == 1);
    CHECK(std::get<double>(*alone.min) == -1);
    CHECK(near(*alone.mean, static_cast<double>(sum / static_cast<long double>(all.size() - 1))));
    check_same(nk::statistics_of(all, {.threads = 3}), alone);
    nk::save(dir / "t.npy", all, {.statistics = true});
    check_same(nk::statistics_of(nk::map<double, 1>(dir / "t.npy")), alone);
    CHECK(nk::findings(dir / "t.npy").empty());
}

TEST_CASE("statistics_of takes whatever can be saved", "[npy][statistics]") {
    const xt::xtensor<int, 2> table = xt::reshape_view(xt::arange<int>(12), {3, 4});

    CHECK(nk::statistics_of(table).mean == 5.5);
    CHECK(nk::statistics_of(xt::view(table, xt::all(), 1)).mean == 5);
    CHECK(nk::statistics_of(table * 2.0).mean == 11);
    CHECK(nk::statistics_of(std::vector<bool>{true, false, true, true}).mean == 0.75);
    CHECK(nk::statistics_of(xt::xtensor<double, 1>()).count == 0);
    CHECK(!nk::statistics_of(xt::xtensor<double, 1>()).mean);
    CHECK(nk::statistics_of(xt::xarray<double>(4.0)).mean == 4);
}

TEST_CASE("statistics_of tells how far it is, and can be stopped", "[npy][statistics]") {
    const auto all = many_numbers();
    std::vector<nk::progress> told;
    const auto tell = [&](const nk::progress& now) {
        told.push_back(now);
        return nk::flow::go;
    };
    const std::atomic<bool> stop = true;

    (void)nk::statistics_of(all, {.progress = tell});

    REQUIRE(told.size() >= 2);
    CHECK(told.front().phase == "statistics");
    CHECK(told.back().bytes == all.size() * sizeof(double));
    CHECK(told.back().items == told.back().items_total);
    CHECK_THROWS_AS(nk::statistics_of(all, {.stop = &stop}), nk::io_error);
    CHECK_THROWS_AS(nk::statistics_of(all + 1, {.stop = &stop}), nk::io_error);
}

}  // namespace many::statistics_of_tests
