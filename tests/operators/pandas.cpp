// SPDX-License-Identifier: BSD-3-Clause
// Segments and moving windows beside the results of pandas, which golden/make_golden.py writes.
#include "operators/segments.hpp"

#include <ndkeep/npy.hpp>

#include <cmath>
#include <cstring>

namespace pandas_tests {

namespace nk = ndkeep;
using namespace std::chrono_literals;
using time_of_day = std::chrono::sys_time<std::chrono::nanoseconds>;

struct traded {
    time_of_day time;
    double price;
    std::int64_t size;
};
NDKEEP_FIELDS(traded, time, price, size);

struct bar {
    time_of_day time;
    double open, high, low, close;
    std::int64_t volume, n, valid;
    double sum, mean, variance, lower;
};
NDKEEP_FIELDS(bar, time, open, high, low, close, volume, n, valid, sum, mean, variance, lower);

struct window {
    double sum, mean, min, max, std;
};
NDKEEP_FIELDS(window, sum, mean, min, max, std);

namespace {

const std::filesystem::path golden = std::filesystem::path(NDKEEP_SOURCE_DIR) / "tests/operators/golden";

/// Equal up to rounding; NaN is equal to NaN.
[[nodiscard]] bool close(double a, double b) {
    return std::isnan(a) || std::isnan(b) ? std::isnan(a) && std::isnan(b) : std::abs(a - b) <= 1e-10 * std::abs(b);
}

void check_bars(const std::string& name, const nk::segment_options<traded>& options) {
    nk::segments<traded> bars(
        options, {nk::first(&traded::price, "open"), nk::max(&traded::price, "high"), nk::min(&traded::price, "low"),
                  nk::last(&traded::price, "close"), nk::sum(&traded::size, "volume"), nk::count("n"),
                  nk::count(&traded::price, "valid"), nk::sum(&traded::price, "sum"), nk::mean(&traded::price, "mean"),
                  nk::variance(&traded::price, "variance"), nk::quantile(&traded::price, 0.25, "lower")});
    const auto expected = nk::load<bar, 1>(golden / ("bars_" + name + ".npy"));
    auto done = bars.push(nk::load<traded, 1>(golden / "trades.npy")).as<bar, 1>();
    std::vector<bar> found(done.begin(), done.end());
    for (const bar& last : bars.finish().as<bar, 1>())
        found.push_back(last);

    INFO(name);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        INFO(i);
        const bar &a = found[i], &b = expected(i);
        CHECK(a.time == b.time);
        for (const auto field : {&bar::open, &bar::high, &bar::low, &bar::close})
            CHECK((a.*field == b.*field || (std::isnan(a.*field) && std::isnan(b.*field))));
        for (const auto field : {&bar::volume, &bar::n, &bar::valid})
            CHECK(a.*field == b.*field);
        for (const auto field : {&bar::sum, &bar::mean, &bar::variance, &bar::lower})
            CHECK(close(a.*field, b.*field));
    }
}

}  // namespace

TEST_CASE("segments are those of pandas, by width, calendar, origin and rows", "[segments][golden]") {
    for (const auto closed : {nk::left, nk::right}) {
        const std::string side = closed == nk::left ? "_left" : "_right";
        check_bars("1h" + side, {.on = &traded::time, .every = 1h, .closed = closed});
        check_bars("7h" + side, {.on = &traded::time, .every = 7h, .closed = closed});
        check_bars("day" + side, {.on = &traded::time, .every = 24h, .closed = closed});
    }
    check_bars("origin", {.on = &traded::time,
                          .every = 1h,
                          .origin = std::chrono::sys_days(2023y / 12 / 30) + std::chrono::minutes(20)});
    check_bars("month", {.on = &traded::time, .every = std::chrono::months(1)});
    check_bars("year", {.on = &traded::time, .every = std::chrono::years(1)});
    check_bars("rows", {.on = &traded::time, .every = nk::rows(37)});
}

TEST_CASE("moving windows are those of pandas, by rows and by span", "[rolling][golden]") {
    const auto rows = nk::load<traded, 1>(golden / "trades.npy");
    const auto check = [&](const std::string& name, nk::rolling_options options) {
        const auto expected = nk::load<window, 1>(golden / ("rolling_" + name + ".npy"));
        const std::pair<nk::rolled, double window::*> fields[] = {{nk::rolled::sum, &window::sum},
                                                                  {nk::rolled::mean, &window::mean},
                                                                  {nk::rolled::min, &window::min},
                                                                  {nk::rolled::max, &window::max},
                                                                  {nk::rolled::std, &window::std}};
        for (const auto& [statistic, field] : fields) {
            options.of = statistic;
            nk::rolling<double> windows(options);
            const auto prices = nk::field(rows, &traded::price);
            const auto found =
                options.span ? windows.push(prices, nk::field(rows, &traded::time)) : windows.push(prices);
            for (std::size_t i = 0; i < found.size(); ++i) {
                INFO(name << ", statistic " << static_cast<int>(statistic) << ", row " << i);
                CHECK(close(found(i), expected(i).*field));
            }
        }
    };

    check("20", {.rows = 20});
    check("20_of_5", {.rows = 20, .min_rows = 5});
    check("10min", {.span = 10min});
    check("2h_of_30", {.span = 2h, .min_rows = 30});
}

}  // namespace pandas_tests
