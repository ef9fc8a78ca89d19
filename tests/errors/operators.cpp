// SPDX-License-Identifier: BSD-3-Clause
// The sentences of errors of as-of joins, segments and moving windows.
#include "errors/sentences.hpp"

#include <ndkeep/loop.hpp>
#include <ndkeep/operators.hpp>

#include <chrono>
#include <complex>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace sentences_tests::operators {

using namespace std::chrono_literals;

using second = std::chrono::sys_time<std::chrono::seconds>;

struct trade {
    second time;
    std::int32_t symbol;
    double price;
    std::int64_t size;
};
NDKEEP_FIELDS(trade, time, symbol, price, size);

struct quote {
    second time;
    std::int32_t symbol;
    double bid;
};
NDKEEP_FIELDS(quote, time, symbol, bid);

namespace {

using keys = xt::xtensor<std::int64_t, 1>;
using trades = std::vector<trade>;
using quotes = std::vector<quote>;

second at(int seconds) { return second(std::chrono::seconds(seconds)); }

constexpr second no_time{std::chrono::seconds(std::numeric_limits<std::int64_t>::min())};

}  // namespace

TEST_CASE("errors of as-of joins are sentences", "[errors]") {
    sentences says("as_of");
    const keys good = {1, 2, 3}, bad = {1, 3, 2};
    const xt::xtensor<double, 1> real = {1, std::numeric_limits<double>::quiet_NaN()};
    const xt::xtensor<second, 1> times = {at(1), no_time};
    const trades left = {{at(1), 1, 10, 1}, {at(5), 2, 10, 1}, {at(3), 2, 10, 1}};
    const quotes right = {{at(1), 1, 10}, {at(5), 2, 10}};

    says("left keys descend", [&] { (void)nk::as_of(bad, good); });
    says("right keys descend", [&] { (void)nk::as_of(good, bad); });
    says("NaN", [&] { (void)nk::as_of(real, xt::xtensor<double, 1>{1}); });
    says("NaT", [&] { (void)nk::as_of(xt::xtensor<second, 1>{at(1)}, times); });
    says("keys of a group descend", [&] { (void)nk::as_of(left, right, {.by = {"symbol"}}); });
    says("integers beside floating-point numbers", [&] { (void)nk::as_of(good, xt::xtensor<double, 1>{1}); });
    says("numbers beside times", [&] { (void)nk::as_of(good, xt::xtensor<second, 1>{at(1)}); });
    says("signed beside unsigned", [&] { (void)nk::as_of(good, xt::xtensor<std::uint64_t, 1>{1}); });
    says("months beside seconds as durations",
         [&] { (void)nk::as_of(xt::xtensor<std::chrono::months, 1>{}, xt::xtensor<std::chrono::seconds, 1>{}); });
    says("complex keys", [&] { (void)nk::as_of(xt::xtensor<std::complex<double>, 1>{}, good); });
    says("two dimensions", [&] { (void)nk::as_of(xt::xtensor<std::int64_t, 2>{{1}}, good); });
    says("no such field", [&] { (void)nk::as_of(left, right, {.on = "date"}); });
    says("a field of plain keys", [&] { (void)nk::as_of(good, good, {.on = "time"}); });
    says("no such group", [&] { (void)nk::as_of(left, right, {.by = {"market"}}); });
    says("negative tolerance", [&] { (void)nk::as_of(good, good, {.tolerance = -1}); });
    says("a duration as tolerance of numbers", [&] { (void)nk::as_of(good, good, {.tolerance = 5s}); });
    says("a number as tolerance of times", [&] { (void)nk::as_of(left, right, {.tolerance = 5, .exact = true}); });
    says("a column of another length", [&] { (void)nk::as_of(good, good).take(xt::xtensor<double, 1>{1}, 0.0); });
    says("a table of another shape", [&] { (void)nk::as_of_groups(good, {good}, keys{0, 0, 0}); });
    says("a group that does not exist", [&] {
        (void)nk::as_of_groups(good, {good}, xt::xtensor<std::int64_t, 2>{{0}, {1}, {0}});
    });
    says("columns of another number of groups", [&] {
        const auto at = nk::as_of_groups(good, {good, good}, xt::xtensor<std::int64_t, 2>{{0}, {1}, {0}});
        (void)at.take({xt::xtensor<double, 1>{1, 2, 3}}, 0.0);
    });
    says.check();
}

TEST_CASE("errors of streams of as-of joins are sentences", "[errors]") {
    sentences says("as_of_join");
    const trades left = {{at(1), 1, 10, 1}, {at(5), 2, 10, 1}};
    const quotes right = {{at(1), 1, 10}, {at(7), 2, 10}};
    const auto pushed = [&] {
        nk::as_of_join<trade, quote> join;
        (void)join.push(left, right);
        return join;
    };

    says("left rows below those before", [&] { (void)pushed().push(trades{{at(4), 1, 10, 1}}, quotes{}); });
    says("right rows below those before", [&] { (void)pushed().push(trades{}, quotes{{at(6), 1, 10}}); });
    says("right rows after their left rows", [&] {
        nk::as_of_join<trade, quote> join;
        (void)join.push(left, quotes{});
        (void)join.finish();
        (void)join.push(trades{}, quotes{{at(4), 1, 10}});
    });
    says("rows of another type", [&] { (void)pushed().push(right, right); });
    says("a field that only the left side has", [&] { (void)nk::as_of_join<trade, quote>({.by = {"size"}}); });
    says("a state of other options", [&] {
        const auto state = says / "join.state";
        const std::vector<keys> chunks = {keys{1}};
        {
            nk::stateful_loop loop(state);
            (void)loop.bind("join", nk::as_of_join<trade, quote>({.by = {"symbol"}}));
            for ([[maybe_unused]] auto&& chunk : loop.over(chunks)) {
            }
        }
        nk::stateful_loop loop(state);
        (void)loop.bind("join", nk::as_of_join<trade, quote>({.window = 3}));
    });
    says("names that collide", [&] { (void)nk::side_by_side({{"", left}, {"", right}}); });
    says("arrays of two lengths", [&] { (void)nk::side_by_side({{"", left}, {"right_", quotes{}}}); });
    says.check();
}

TEST_CASE("errors of segments are sentences", "[errors]") {
    sentences says("segments");
    const trades rows = {{at(1), 1, 10, 1}, {at(5), 2, 10, 1}};
    const std::vector<nk::aggregate<trade>> some = {nk::count("n")};
    using bars = nk::segments<trade>;
    const auto every_minute = [&] { return bars({.on = &trade::time, .every = 1min}, some); };

    says("keys that descend", [&] {
        auto all = every_minute();
        (void)all.push(rows);
        (void)all.push(trades{{at(7), 1, 10, 1}, {at(4), 1, 10, 1}});
    });
    says("NaT", [&] { (void)every_minute().push(trades{{no_time, 1, 10, 1}}); });
    says("rows of another type", [&] { (void)every_minute().push(quotes{{at(1), 1, 10}}); });
    says("no keys", [&] { bars({.every = 1min}, some); });
    says("no width", [&] { bars({.on = &trade::time, .every = 0s}, some); });
    says("a width that is no multiple", [&] { bars({.on = &trade::time, .every = 1500ms}, some); });
    says("months of numbers", [&] { bars({.on = &trade::size, .every = std::chrono::months(1)}, some); });
    says("a duration of numbers", [&] { bars({.on = &trade::size, .every = 1min}, some); });
    says("one edge", [&] { bars({.on = &trade::size, .every = nk::edges({0})}, some); });
    says("edges that descend", [&] { bars({.on = &trade::size, .every = nk::edges({0, 2, 1})}, some); });
    says("a key outside of the edges", [&] {
        bars all({.on = &trade::size, .every = nk::edges({5, 10})}, some);
        (void)all.push(rows);
    });
    says("segments without rows", [&] { bars({.every = nk::rows(0)}, some); });
    says("two aggregates of one name", [&] {
        bars({.on = &trade::time, .every = 1min}, {nk::count("n"), nk::sum(&trade::size, "n")});
    });
    says("an aggregate with the name of the key",
         [&] { bars({.on = &trade::time, .every = 1min}, {nk::count("time")}); });
    says("a sum of more than 64 bits", [&] {
        bars all({.on = &trade::time, .every = 1min}, {nk::sum(&trade::size, "total")});
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        (void)all.push(trades{{at(1), 1, 10, most}, {at(1), 1, 10, most}});
        (void)all.finish();
    });
    says("a quantile of 1.5", [&] { bars({.on = &trade::time, .every = 1min}, {nk::quantile(&trade::price, 1.5)}); });
    says("too many empty bins", [&] {
        auto all = bars({.on = &trade::time, .every = 1s}, some);
        (void)all.push(trades{{at(1), 1, 10, 1}, {at(2'000'000'000), 1, 10, 1}});
    });
    says("rows after the end", [&] {
        auto all = every_minute();
        (void)all.finish();
        (void)all.push(rows);
    });
    says("a row below the point of advance", [&] {
        auto all = every_minute();
        (void)all.advance(at(100));
        (void)all.push(rows);
    });
    says.check();
}

TEST_CASE("errors of moving windows are sentences", "[errors]") {
    sentences says("rolling");
    using means = nk::rolling<double>;
    const xt::xtensor<double, 1> values = {1, 2, 3};

    says("neither rows nor span", [&] { means({}); });
    says("rows and span", [&] { means({.rows = 3, .span = 3}); });
    says("months as span", [&] { means({.span = std::chrono::months(1)}).push(values, keys{1, 2, 3}); });
    says("a negative span", [&] { means({.span = -1}).push(values, keys{1, 2, 3}); });
    says("a span without keys", [&] { means({.span = 3}).push(values); });
    says("keys of another length", [&] { means({.span = 3}).push(values, keys{1, 2}); });
    says("keys that descend", [&] { means({.span = 3}).push(values, keys{1, 3, 2}); });
    says("values of another type", [&] { means({.rows = 3}).push(keys{1, 2, 3}); });
    says("two dimensions", [&] { means({.rows = 3}).push(xt::xtensor<double, 2>{{1, 2}}); });
    says.check();
}

}  // namespace sentences_tests::operators
