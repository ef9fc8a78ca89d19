// SPDX-License-Identifier: BSD-3-Clause
// The result of segments does not depend on how rows are cut into chunks, nor on where a pass was interrupted.
#include "operators/memory_state.hpp"
#include "operators/segments.hpp"

#include <ndkeep/loop.hpp>

#include <algorithm>
#include <bit>
#include <random>

namespace segments_invariance_tests {

namespace nk = ndkeep;
using namespace segmenttest;
using namespace std::chrono_literals;

namespace {

[[nodiscard]] std::vector<trade> random_trades(std::mt19937_64& random, std::size_t count) {
    std::vector<trade> rows;
    std::chrono::sys_time<std::chrono::nanoseconds> time = std::chrono::sys_days(2024y / 1 / 1);
    const auto number = [&] { return static_cast<double>(random() % 1'000'000) / 7 - 50'000; };
    for (std::size_t i = 0; i < count; ++i) {
        if (random() % 3 == 0)
            time += std::chrono::milliseconds(random() % (random() % 20 == 0 ? 2'000'000 : 100'000));
        rows.push_back({time, random() % 10 == 0 ? missing : number(), static_cast<std::int64_t>(random()) >> 20,
                        random() % 5 == 0 ? -0.0F : static_cast<float>(number()),
                        static_cast<std::uint8_t>(random() % 256)});
    }
    return rows;
}

[[nodiscard]] std::vector<nk::aggregate<trade>> many_aggregates() {
    std::vector<nk::aggregate<trade>> all = {nk::count("n"),
                                             nk::sum(&trade::size),
                                             nk::mean(&trade::size),
                                             nk::variance(&trade::size),
                                             nk::min(&trade::size),
                                             nk::max(&trade::venue),
                                             nk::sum(&trade::venue),
                                             nk::variance(&trade::venue),
                                             nk::quantile(&trade::venue, 0.3),
                                             nk::first(&trade::time, "first time"),
                                             nk::max(&trade::time, "last time"),
                                             nk::first(&trade::fee),
                                             nk::min(&trade::fee),
                                             nk::sum(&trade::fee),
                                             nk::quantile(&trade::fee, 0.9),
                                             nk::first(&trade::price),
                                             nk::last(&trade::price),
                                             nk::min(&trade::price),
                                             nk::max(&trade::price),
                                             nk::sum(&trade::price),
                                             nk::count(&trade::price),
                                             nk::mean(&trade::price),
                                             nk::variance(&trade::price),
                                             nk::quantile(&trade::price, 0.5),
                                             nk::reduce(
                                                 &trade::price, 1.0,
                                                 [](double& state, double price) { state = state * 0.75 + price; },
                                                 [](double state) { return state; }, "faded")};
    return all;
}

[[nodiscard]] std::vector<nk::segment_options<trade>> many_options() {
    const auto long_gap = [](const trade& a, const trade& b) { return b.time - a.time > 60s; };
    const auto day = std::chrono::sys_days(2024y / 1 / 1);
    // Not one list of all: GCC 12 fails to compile it.
    std::vector<nk::segment_options<trade>> all;
    const auto add = [&](const nk::segment_options<trade>& options) { all.push_back(options); };
    add({.on = &trade::time, .every = 5min});
    add({.on = &trade::time, .every = 1h, .closed = nk::right, .output = {.snapshots = 7min}});
    add({.on = &trade::time, .every = 10s, .output = {.snapshots = 1min, .empty_bins = false}});
    add({.on = &trade::time, .every = std::chrono::months(1), .output = {.nan = nk::nan_rule::propagate}});
    add({.on = &trade::time, .every = nk::rows(37), .output = {.snapshots = 5min}});
    add({.every = nk::rows(1)});
    add({.on = &trade::time, .every = long_gap, .output = {.snapshots = 2min}});
    add({.on = &trade::time, .every = nk::edges({day, day + 3h, std::chrono::sys_days(2025y / 1 / 1)})});
    return all;
}

/// Results and snapshots, as bytes.
struct outcome {
    std::vector<std::byte> segments, snapshots;

    void add(const nk::any_array& done, const nk::segments<trade>& from) {
        append(segments, done);
        append(snapshots, from.snapshots());
    }
    friend bool operator==(const outcome&, const outcome&) = default;
};

}  // namespace

TEST_CASE("segments do not depend on chunks, or on where their state was saved", "[segments][property]") {
    std::mt19937_64 random(11);
    for (int round = 0; round < 6; ++round)
        for (const auto& options : many_options()) {
            const auto rows = random_trades(random, random() % 1500);
            nk::segments<trade> whole(options, many_aggregates());
            outcome expected;
            expected.add(whole.push(rows), whole);
            const auto current = whole.current();
            expected.add(whole.finish(), whole);

            nk::segments<trade> cut(options, many_aggregates());
            outcome found;
            for (std::size_t at = 0; at < rows.size();) {
                const std::size_t end = std::min(rows.size(), at + random() % (random() % 4 == 0 ? 700 : 9));
                found.add(cut.push(std::span(rows).subspan(at, end - at)), cut);
                at = end;
                if (random() % 8 == 0)
                    (void)cut.current();
                if (random() % 8 == 0) {
                    memory_state saved;
                    cut.save(saved);
                    cut = nk::segments<trade>(options, many_aggregates());
                    cut.load(saved);
                }
            }
            CHECK(std::ranges::equal(cut.current().bytes(), current.bytes()));
            found.add(cut.finish(), cut);
            CHECK((found == expected));
        }
}

TEST_CASE("segments agree with aggregates computed one row at a time", "[segments][property]") {
    std::mt19937_64 random(12);
    for (int round = 0; round < 20; ++round) {
        const auto rows = random_trades(random, 1 + random() % 800);
        nk::segments<trade> bars({.on = &trade::time, .every = 5min}, many_aggregates());
        std::vector<std::byte> bytes;
        append(bytes, bars.push(rows));
        append(bytes, bars.finish());
        nk::any_array all(bars.type(), {bytes.size() / bars.type().size()});
        std::copy(bytes.begin(), bytes.end(), all.bytes().begin());
        const auto labels = column<decltype(trade::time)>(all, "time");

        std::size_t row = 0;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            std::vector<double> prices;
            std::int64_t size = 0, count = 0;
            CHECK((i == 0 || labels[i] == labels[i - 1] + 5min));
            for (; row < rows.size() && rows[row].time < labels[i] + 5min; ++row, ++count) {
                CHECK(rows[row].time >= labels[i]);
                size += rows[row].size;
                if (!std::isnan(rows[row].price))
                    prices.push_back(rows[row].price);
            }
            CHECK(column(all, "n")[i] == count);
            CHECK(column(all, "size_sum")[i] == size);
            CHECK(column(all, "price_count")[i] == static_cast<std::int64_t>(prices.size()));
            if (prices.empty()) {
                CHECK(std::isnan(column<double>(all, "price_sum")[i]));
                continue;
            }
            __extension__ __float128 sum = 0, squares = 0;
            for (const double each : prices)
                sum += each;
            const auto mean = sum / static_cast<double>(prices.size());
            for (const double each : prices)
                squares += (each - mean) * (each - mean);
            CHECK(column<double>(all, "price_first")[i] == prices.front());
            CHECK(column<double>(all, "price_last")[i] == prices.back());
            CHECK(column<double>(all, "price_sum")[i] == static_cast<double>(sum));
            std::sort(prices.begin(), prices.end());
            CHECK(column<double>(all, "price_min")[i] == prices.front());
            CHECK(column<double>(all, "price_max")[i] == prices.back());
            const double place = static_cast<double>(prices.size() - 1) * 0.5;
            const auto low = static_cast<std::size_t>(place);
            const double above = prices[std::min(low + 1, prices.size() - 1)];
            CHECK(column<double>(all, "price_quantile_0.5")[i] ==
                  Approx(prices[low] + (above - prices[low]) * (place - static_cast<double>(low))).epsilon(1e-15));
            if (prices.size() > 1)
                CHECK(column<double>(all, "price_variance")[i] ==
                      Approx(static_cast<double>(squares / static_cast<double>(prices.size() - 1))).epsilon(1e-14));
        }
        CHECK(row == rows.size());
    }
}

TEST_CASE("segments bound to a loop go on where it was interrupted", "[segments]") {
    temp_dir dir;
    std::mt19937_64 random(13);
    const auto trades = random_trades(random, 3000);
    xt::xtensor<trade, 1> rows(std::array<std::size_t, 1>{trades.size()});
    std::copy(trades.begin(), trades.end(), rows.begin());
    nk::segments<trade> whole({.on = &trade::time, .every = 5min}, many_aggregates());
    std::vector<std::byte> expected, found;
    append(expected, whole.push(rows));
    append(expected, whole.finish());

    for (bool is_done = false; !is_done;) {
        nk::stateful_loop loop(dir / "state.npz", {.sync = false});
        auto& bars = loop.bind("bars", nk::segments<trade>({.on = &trade::time, .every = 5min}, many_aggregates()));
        int visits = 0;
        is_done = true;
        for (const auto& chunk : loop.over(rows, {.rows = 250})) {
            if (++visits == 4) {
                is_done = false;
                break;  // the loop does not count this chunk
            }
            append(found, bars.push(chunk));
        }
        if (is_done)
            append(found, bars.finish());
    }
    CHECK((found == expected));
}

TEST_CASE("a state of other options, fields or aggregates is refused", "[segments][error]") {
    const auto state_of = [](const nk::segment_options<trade>& options,
                             const std::vector<nk::aggregate<trade>>& aggregates) {
        memory_state state;
        nk::segments<trade>(options, aggregates).save(state);
        return state;
    };
    const nk::segment_options<trade> options{.on = &trade::time, .every = 5min};
    nk::segments<trade> bars(options, {nk::sum(&trade::price)});

    CHECK_NOTHROW(bars.load(state_of(options, {nk::sum(&trade::price)})));
    const auto error = thrown<nk::mismatch_error>([&] { bars.load(state_of(options, {nk::sum(&trade::fee)})); });
    CHECK(error.field() == "options of the segments");
    CHECK(error.expected() ==
          "time <M8[ns]: width 300000000000 from 0, closed left; skip NaN; price_sum = sum price <f8");
    for (auto other : {nk::segment_options<trade>{.on = &trade::time, .every = 6min},
                       nk::segment_options<trade>{.on = &trade::time, .every = 5min, .closed = nk::right},
                       nk::segment_options<trade>{.on = &trade::time, .every = 5min, .origin = 1},
                       nk::segment_options<trade>{.on = &trade::time, .every = 5min, .output = {.snapshots = 1min}},
                       nk::segment_options<trade>{.on = &trade::time, .every = nk::rows(5)}})
        CHECK_THROWS_AS(bars.load(state_of(other, {nk::sum(&trade::price)})), nk::mismatch_error);
    CHECK_THROWS_AS(bars.load(state_of(options, {nk::sum(&trade::price), nk::count("n")})), nk::mismatch_error);
}

}  // namespace segments_invariance_tests
