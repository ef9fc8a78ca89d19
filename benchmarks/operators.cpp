// SPDX-License-Identifier: BSD-3-Clause
// as_of beside a bare loop with two pointers, which checks nothing.
#include "timing.hpp"

#include <ndkeep/operators.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace nk = ndkeep;
using namespace timing;

struct trade {
    std::int64_t time;
    std::int64_t symbol;
    double price;
};
NDKEEP_FIELDS(trade, time, symbol, price);

namespace {

/// Rows in order, with random steps of 0 to 9 and random ones of `symbols` symbols.
xt::xtensor<trade, 1> rows(std::size_t count, std::uint64_t seed, std::uint64_t symbols) {
    std::mt19937_64 random(seed);
    auto all = xt::xtensor<trade, 1>::from_shape({count});
    std::int64_t time = 0;
    for (trade& each : all) {
        time += static_cast<std::int64_t>(random() % 10);
        each = {time, static_cast<std::int64_t>(random() % symbols), 1.5};
    }
    return all;
}

std::vector<std::int64_t> times_of(const xt::xtensor<trade, 1>& rows) {
    std::vector<std::int64_t> times;
    times.reserve(rows.size());
    for (const trade& each : rows)
        times.push_back(each.time);
    return times;
}

void bare_loop(const std::vector<std::int64_t>& left, const std::vector<std::int64_t>& right) {
    auto found = xt::xtensor<std::int64_t, 1>::from_shape({left.size()});
    std::size_t row = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        while (row < right.size() && right[row] <= left[i])
            ++row;
        found(i) = static_cast<std::int64_t>(row) - 1;
    }
    sink = sink + static_cast<double>(found(left.size() - 1));
}

void use(const nk::as_of_rows<1>& found) { sink = sink + static_cast<double>(found.rows()(found.size() - 1)); }

void as_ofs(std::size_t count) {
    const auto trades = rows(count, 1, 100), quotes = rows(count, 2, 100);
    const auto many_trades = rows(count, 1, 1'000'000), many_quotes = rows(count, 2, 1'000'000);
    const auto left = times_of(trades), right = times_of(quotes);
    turns times(2 * count * sizeof(std::int64_t));
    const auto beside = [&](const std::string& name, std::function<void()> call) {
        times.add(name, std::move(call));
        times.add(name + ":bare loop", [&] { bare_loop(left, right); });
    };
    beside("as_of", [&] { use(nk::as_of(left, right)); });
    beside("as_of nearest", [&] { use(nk::as_of(left, right, {.direction = nk::nearest, .tolerance = 5})); });
    beside("as_of of fields",
           [&] { use(nk::as_of(nk::field(trades, &trade::time), nk::field(quotes, &trade::time))); });
    beside("as_of by 100 keys", [&] { use(nk::as_of(trades, quotes, {.on = "time", .by = {"symbol"}})); });
    beside("as_of by 1000000 keys", [&] { use(nk::as_of(many_trades, many_quotes, {.by = {"symbol"}})); });
    times.run(5);
}

}  // namespace

int main(int argc, char** argv) {
    const task given = task_of(argc, argv);
    // Both sides have as many keys of 8 bytes.
    as_ofs(given.bytes / 2 / sizeof(std::int64_t));
    return 0;
}
