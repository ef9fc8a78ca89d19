// SPDX-License-Identifier: BSD-3-Clause
// Generated ticks of three symbols: the quote before each trade, and bars of one minute. The same two bodies run over
// arrays in memory, in a batch that is killed, and behind a live feed. All three write the same bytes.
#include "three_runs.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/operators.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <limits>
#include <random>
#include <tuple>
#include <vector>

namespace fs = std::filesystem;
namespace nk = ndkeep;
using namespace std::chrono_literals;
using moment = std::chrono::sys_time<std::chrono::milliseconds>;
using ticker = nk::fixed_string<4>;

struct trade {
    moment time;
    double price;
    std::int32_t size;
    ticker symbol;
};
NDKEEP_FIELDS(trade, time, price, size, symbol);

struct quote {
    moment time;
    double bid, ask;
    ticker symbol;
};
NDKEEP_FIELDS(quote, time, bid, ask, symbol);

// A trade with the last quote before it; NaN if there was none.
struct priced {
    moment time;
    double price;
    std::int32_t size;
    ticker symbol;
    double bid, ask;
};
NDKEEP_FIELDS(priced, time, price, size, symbol, bid, ask);

struct bar {
    moment time;  // the begin of its minute
    ticker symbol;
    double open, high, low, close;
    std::int64_t volume, trades, buys;
};
NDKEEP_FIELDS(bar, time, symbol, open, high, low, close, volume, trades, buys);

namespace {

constexpr std::array<ticker, 3> symbols = {"ACME", "BOLT", "CRUX"};
constexpr moment opening = std::chrono::sys_days(2026y / 3 / 2) + 9h;
constexpr moment closing = opening + 6h;

struct ticks {
    std::vector<trade> trades;
    std::vector<quote> quotes;
};

/// A day of ticks, the same in each run. CRUX is rare, and has trades before its first quote.
ticks generate() {
    std::mt19937_64 random(2026);
    std::array<int, 3> cents = {18'250, 4'130, 995};
    ticks all;
    for (moment now = opening; now < closing; now += std::chrono::milliseconds(random() % 600)) {
        const auto draw = random() % 40;
        const std::size_t i = draw == 0 ? 2 : draw % 2;
        cents[i] += static_cast<int>(random() % 5) - 2;
        const double bid = (cents[i] - 2) / 100.0, ask = (cents[i] + 2) / 100.0;
        if (random() % 4 == 0)
            all.trades.push_back({now, random() % 2 == 0 ? ask : bid, 100 * (1 + int(random() % 9)), symbols[i]});
        else if (i != 2 || now > opening + 20min)
            all.quotes.push_back({now, bid, ask, symbols[i]});
    }
    return all;
}

/// For each trade, the last quote of its symbol before it; one at the same time is not before it.
nk::as_of_join<trade, quote> quotes_before() {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    return nk::as_of_join<trade, quote>({.by = {"symbol"}, .match = {.exact = false}}, {{}, none, none, {}});
}

/// Bars of the trades of one symbol. Minutes without a trade have no bar.
nk::segments<priced> minutes() {
    using row = priced;
    return {{.on = &row::time, .every = 1min, .output = {.empty_bins = false}},
            {nk::first(&row::symbol, "symbol"), nk::first(&row::price, "open"), nk::max(&row::price, "high"),
             nk::min(&row::price, "low"), nk::last(&row::price, "close"), nk::sum(&row::size, "volume"),
             nk::count("trades"),
             nk::reduce_rows<row>(
                 std::int64_t{0}, [](std::int64_t& buys, const row& one) { buys += one.price >= one.ask; },
                 [](std::int64_t buys) { return buys; }, "buys")}};
}

/// The bars of all symbols, as one state of a loop.
struct bars_by_symbol {
    std::array<nk::segments<priced>, 3> of = {minutes(), minutes(), minutes()};

    void save(nk::state_writer& out) const {
        for (std::size_t i = 0; i < of.size(); ++i)
            out.set(symbols[i].str(), of[i]);
    }
    void load(const nk::state_reader& in) {
        for (std::size_t i = 0; i < of.size(); ++i)
            in.get(symbols[i].str(), of[i]);
    }
};

// The two bodies. Their rows may be all rows, an item of a batch, or what a feed has brought: only `is_end` says more.

void add_prices(const auto& trades, const auto& quotes, bool is_end, nk::as_of_join<trade, quote>& join,
                nk::chunk_writer<priced, 1>& sink) {
    const auto write = [&sink](const nk::as_of_joined<trade, quote>& found) {
        sink.append(nk::side_by_side({{"", found.left()},
                                      {"bid", nk::field(found.right(), &quote::bid)},
                                      {"ask", nk::field(found.right(), &quote::ask)}}));
    };
    write(join.push(trades, quotes));
    if (is_end)
        write(join.finish());
}

void add_bars(const auto& rows, bool is_end, bars_by_symbol& bars, nk::chunk_writer<bar, 1>& sink) {
    std::vector<bar> complete;
    const auto keep = [&complete](const nk::any_array& some) {
        const auto more = some.as<bar, 1>();
        complete.insert(complete.end(), more.begin(), more.end());
    };
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        std::vector<priced> own;
        std::copy_if(rows.begin(), rows.end(), std::back_inserter(own),
                     [i](const priced& row) { return row.symbol == symbols[i]; });
        keep(bars.of[i].push(own));
        // All symbols advance to the same time, so that the order of the bars does not depend on the items.
        keep(is_end ? bars.of[i].finish() : bars.of[i].advance(rows(rows.size() - 1).time));
    }
    std::sort(complete.begin(), complete.end(),
              [](const bar& a, const bar& b) { return std::tie(a.time, a.symbol) < std::tie(b.time, b.symbol); });
    sink.append(complete);
}

// What runs them: one call each, or two loops, of which the second reads what the first one writes.

void run_at_once(const ticks& all, const fs::path& to) {
    nk::chunk_writer<priced, 1> prices(to / "prices", {.order_by = "time"});
    auto join = quotes_before();
    add_prices(all.trades, all.quotes, true, join, prices);
    prices.commit();

    nk::chunk_writer<bar, 1> sink(to / "bars", {.order_by = "time"});
    bars_by_symbol bars;
    add_bars(nk::load_chunked<priced, 1>(to / "prices"), true, bars, sink);
    sink.commit();
}

/// Resumes where the last pass ended. Every three items, rows, position and state are committed together.
void run_prices(const pass& now) {
    const nk::chunk_reader<trade, 1> trades(now.from / "trades");
    const nk::chunk_reader<quote, 1> quotes(now.from / "quotes");
    nk::chunk_writer<priced, 1> sink(now.to / "prices", {.rows_per_chunk = 2000, .order_by = "time"});

    nk::stateful_loop loop(now.to / "prices.state", {.every = 3});
    auto& join = loop.bind("quotes", quotes_before());
    // While more rows may come, a pass ends before the last time that both arrays have reached.
    for (auto [t, q] : loop.over(nk::in_step(trades, quotes, {.live = !now.is_closed})).into(sink)) {
        add_prices(t, q, now.is_closed && loop.is_last(), join, sink);
        kill_in(now.killed_in, loop.index());
    }
}

void run_bars(const pass& now) {
    const nk::chunk_reader<priced, 1> prices(now.to / "prices");
    nk::chunk_writer<bar, 1> sink(now.to / "bars", {.order_by = "time"});

    nk::stateful_loop loop(now.to / "bars.state", {.every = 3});
    auto& bars = loop.bind<bars_by_symbol>("bars");
    for (auto rows : loop.over(prices).into(sink)) {
        add_bars(rows, now.is_closed && loop.is_last(), bars, sink);
        kill_in(now.killed_in, loop.index());
    }
}

}  // namespace

int main() {
    for (const char* folder : {"at_once", "killed", "live", "batch", "feed"}) {
        fs::remove_all(folder);
        fs::create_directory(folder);
    }
    const ticks all = generate();
    std::printf("%zu trades, %zu quotes\n", all.trades.size(), all.quotes.size());

    run_at_once(all, "at_once");

    deliver(all.trades, closing, "batch/trades");
    deliver(all.quotes, closing, "batch/quotes");
    // The commits are after the items 2, 5, 8 and so on.
    for (const unsigned item : {4U, 5U, 13U}) {
        const bool is_dead = is_killed(run_prices, {"batch", "killed", true, item});
        std::printf("prices: %s in item %u, %llu committed\n", is_dead ? "killed" : "not killed", item,
                    committed("killed/prices"));
    }
    run_prices({"batch", "killed"});
    const bool is_dead = is_killed(run_bars, {"batch", "killed", true, 5});
    std::printf("bars: %s in item 5, %llu committed\n", is_dead ? "killed" : "not killed", committed("killed/bars"));
    run_bars({"batch", "killed"});

    // The quotes arrive nine minutes after the trades. After each delivery both passes end, and resume with the next
    // one.
    for (moment now = opening + 72min; now < closing + 72min; now += 72min) {
        deliver(all.trades, now, "feed/trades");
        deliver(all.quotes, now < closing ? now - 9min : closing, "feed/quotes");
        run_prices({"feed", "live", now >= closing});
        run_bars({"feed", "live", now >= closing});
        std::printf("feed: %llu of %llu trades have their quote, %llu bars\n", committed("live/prices"),
                    committed("feed/trades"), committed("live/bars"));
    }
    std::printf("the same bytes in all three: prices %s, bars %s\n",
                is_same_in({"at_once", "killed", "live"}, "prices") ? "yes" : "no",
                is_same_in({"at_once", "killed", "live"}, "bars") ? "yes" : "no");

    const auto prices = nk::load_chunked<priced, 1>("live/prices");
    const auto bars = nk::load_chunked<bar, 1>("live/bars");
    std::printf("%td trades had no quote before them\n",
                std::count_if(prices.begin(), prices.end(), [](const priced& one) { return std::isnan(one.bid); }));
    for (std::size_t i = 0; i < 6; ++i) {
        const bar& one = bars(i);
        const std::chrono::hh_mm_ss time(one.time - std::chrono::floor<std::chrono::days>(one.time));
        std::printf("%02d:%02d %s %7.2f %7.2f %7.2f %7.2f %6d shares, %2d of %2d trades at the ask\n",
                    int(time.hours().count()), int(time.minutes().count()), one.symbol.str().c_str(), one.open,
                    one.high, one.low, one.close, int(one.volume), int(one.buys), int(one.trades));
    }
}
