// SPDX-License-Identifier: BSD-3-Clause
// A loop with an as-of join, segments or a moving window that is killed at its file calls: the result is that of one
// call for all rows.
#include "operators/segments.hpp"
#include "support/faults.hpp"
#include "support/faulty_calls.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>

namespace operators_kill_tests {

namespace nk = ndkeep;
using segmenttest::trade;
using namespace std::chrono_literals;

struct quote {
    std::chrono::sys_time<std::chrono::nanoseconds> time;
    double bid;
    std::uint8_t venue;
};
NDKEEP_FIELDS(quote, time, bid, venue);

struct bar {
    std::chrono::sys_time<std::chrono::nanoseconds> time;
    double open, mean, median;
    std::int64_t volume;
};
NDKEEP_FIELDS(bar, time, open, mean, median, volume);

struct priced {
    std::chrono::sys_time<std::chrono::nanoseconds> time;
    double price, bid;
};
NDKEEP_FIELDS(priced, time, price, bid);

namespace {

constexpr std::size_t count = 90;

xt::xtensor<trade, 1> trades() {
    xt::xtensor<trade, 1> all(std::array{count});
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < count; ++i) {
        state = state * 1'664'525 + 1'013'904'223;
        all(i) = {std::chrono::sys_time<std::chrono::nanoseconds>(1s * (i / 2)), 100 + (state >> 16) / 7.0, state >> 20,
                  0.5F, static_cast<std::uint8_t>((state >> 9) % 3)};
    }
    return all;
}

xt::xtensor<quote, 1> quotes() {
    xt::xtensor<quote, 1> all(std::array{count / 2});
    std::uint32_t state = 2;
    for (quote& each : all) {
        state = state * 1'664'525 + 1'013'904'223;
        each = {std::chrono::sys_time<std::chrono::nanoseconds>(1s * (&each - all.data())), (state >> 16) / 3.0,
                static_cast<std::uint8_t>((state >> 9) % 3)};
    }
    return all;
}

const nk::save_chunked_options input{.rows_per_chunk = 20, .order_by = "time", .commit = {.sync = false}};
const nk::chunk_writer_options output{.commit = {.sync = false}};
const nk::loop_options quick{.every = 1, .sync = false};

/// The bars of a loop that may be resumed.
void make_bars(const std::filesystem::path& dir) {
    const nk::chunk_reader<trade, 1> reader(dir / "trades");
    nk::chunk_writer<bar, 1> sink(dir / "out", output);
    nk::stateful_loop loop(dir / "loop.state", quick);
    auto& bars = loop.bind(
        "bars", nk::segments<trade>({.on = &trade::time, .every = 7s},
                                    {nk::first(&trade::price, "open"), nk::mean(&trade::price, "mean"),
                                     nk::quantile(&trade::price, 0.5, "median"), nk::sum(&trade::size, "volume")}));
    for (const auto& chunk : loop.over(reader).into(sink)) {
        sink.append(bars.push(chunk));
        if (loop.is_last())
            sink.append(bars.finish());
    }
}

void make_means(const std::filesystem::path& dir) {
    const nk::chunk_reader<trade, 1> reader(dir / "trades");
    nk::chunk_writer<double, 1> sink(dir / "out", output);
    nk::stateful_loop loop(dir / "loop.state", quick);
    auto& means = loop.bind("means", nk::rolling<double>({.span = 9s, .of = nk::rolled::std}));
    for (const auto& chunk : loop.over(reader).into(sink))
        sink.append(means.push(nk::field(chunk, &trade::price), nk::field(chunk, &trade::time)));
}

void join(const std::filesystem::path& dir) {
    const nk::chunk_reader<trade, 1> left(dir / "trades");
    const nk::chunk_reader<quote, 1> right(dir / "quotes");
    nk::chunk_writer<priced, 1> sink(dir / "out", output);
    nk::stateful_loop loop(dir / "loop.state", quick);
    auto& join = loop.bind("join", nk::as_of_join<trade, quote>({.by = {"venue"}, .match = {.exact = false}}));
    for (auto [t, q] : loop.over(nk::in_step(left, right)).into(sink)) {
        const auto m = join.push(t, q);
        std::vector<priced> rows;
        for (std::size_t i = 0; i < m.left().size(); ++i)
            rows.push_back({m.left()(i).time, m.left()(i).price, m.right()(i).bid});
        sink.append(rows);
    }
}

/// Kills `pass` at some of its calls, and resumes it. Returns the calls after which the rows are not as expected.
template <class Row>
std::set<std::string> wrong_after_kills(void (*pass)(const std::filesystem::path&),
                                        const xt::xtensor<Row, 1>& expected) {
    const auto fresh = [](const temp_dir& dir) {
        nk::save_chunked(dir / "trades", trades(), input);
        nk::save_chunked(dir / "quotes", quotes(), input);
    };
    const temp_dir once;
    fresh(once);
    const std::size_t calls = faults::calls_of([&] { pass(once.path()); }).size();
    std::set<std::string> wrong;
    for (std::size_t at = 0; at < calls; at += 7) {
        const temp_dir dir;
        fresh(dir);
        REQUIRE(faults::killed({.what = faults::effect::kill, .at = at}, [&] { pass(dir.path()); }));
        pass(dir.path());
        const auto out = nk::load_chunked<Row, 1>(dir / "out");
        if (out.size() != expected.size() || std::memcmp(out.data(), expected.data(), out.size() * sizeof(Row)) != 0)
            wrong.insert("killed at " + std::to_string(at));
    }
    return wrong;
}

}  // namespace

TEST_CASE("a killed loop makes the same bars as one call", "[operators][fault]") {
    nk::segments<trade> all({.on = &trade::time, .every = 7s},
                            {nk::first(&trade::price, "open"), nk::mean(&trade::price, "mean"),
                             nk::quantile(&trade::price, 0.5, "median"), nk::sum(&trade::size, "volume")});
    const auto bars = all.push(trades()).as<bar, 1>(), last = all.finish().as<bar, 1>();
    xt::xtensor<bar, 1> expected(std::array{bars.size() + last.size()});
    std::copy(last.begin(), last.end(), std::copy(bars.begin(), bars.end(), expected.begin()));

    CHECK(wrong_after_kills(make_bars, expected) == std::set<std::string>());
}

TEST_CASE("a killed loop makes the same moving window as one call", "[operators][fault]") {
    const auto rows = trades();
    nk::rolling<double> all({.span = 9s, .of = nk::rolled::std});
    const auto expected = all.push(nk::field(rows, &trade::price), nk::field(rows, &trade::time));

    CHECK(wrong_after_kills(make_means, expected) == std::set<std::string>());
}

TEST_CASE("a killed loop joins the same rows as one call", "[operators][fault]") {
    const auto left = trades();
    const auto right = quotes();
    const auto found = nk::as_of(left, right, {.by = {"venue"}, .exact = false});
    xt::xtensor<priced, 1> expected(std::array{count});
    for (std::size_t i = 0; i < count; ++i)
        expected(i) = {left(i).time, left(i).price, found.found(i) ? right(*found.row(i)).bid : 0};

    CHECK(wrong_after_kills(join, expected) == std::set<std::string>());
}

}  // namespace operators_kill_tests
