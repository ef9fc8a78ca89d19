// SPDX-License-Identifier: BSD-3-Clause
// Bars with nine aggregates beside a bare pass that sums one column, and moving windows. peers.py has those of pandas.
#include "timing.hpp"

#include <ndkeep/operators.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nk = ndkeep;
using namespace timing;

struct trade {
    std::int64_t time;
    double price;
    std::int64_t size;
};
NDKEEP_FIELDS(trade, time, price, size);

namespace {

/// One row per second; prices change at random.
std::vector<trade> trades(std::size_t count) {
    std::vector<trade> rows(count);
    std::uint64_t state = 1;
    double price = 100;
    for (std::size_t i = 0; i < count; ++i) {
        state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        price += (static_cast<double>(state >> 40) / (1 << 24) - 0.5) * 0.02;
        rows[i] = {static_cast<std::int64_t>(i), price, static_cast<std::int64_t>(state >> 50)};
    }
    return rows;
}

/// The fastest sum of one column with one thread.
double sum_of_prices(const std::vector<trade>& rows) {
    double sums[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= rows.size(); i += 8)
        for (std::size_t j = 0; j < 8; ++j)
            sums[j] += rows[i + j].price;
    double sum = 0;
    for (; i < rows.size(); ++i)
        sum += rows[i].price;
    for (const double part : sums)
        sum += part;
    return sum;
}

void bars(const std::string& verb, turns& times, const std::vector<trade>& rows, nk::segment_rule<trade> every,
          const std::vector<nk::aggregate<trade>>& aggregates) {
    times.add(verb, [&rows, every, aggregates] {
        nk::segments<trade> all({.on = &trade::time, .every = every}, aggregates);
        // As chunks of a loop.
        for (std::size_t at = 0; at < rows.size(); at += 100'000)
            sink = sink +
                   static_cast<double>(
                       all.push(std::span(rows).subspan(at, std::min<std::size_t>(100'000, rows.size() - at))).size());
        sink = sink + static_cast<double>(all.finish().size());
    });
    times.add(verb + ":bare pass", [&rows] { sink = sink + sum_of_prices(rows); });
}

}  // namespace

int main(int count, char** arguments) {
    const auto [folder, bytes] = task_of(count, arguments);
    if (bytes < std::size_t{4} << 20)
        return 0;
    const auto rows = trades(bytes / sizeof(trade));
    const std::vector<nk::aggregate<trade>> nine = {
        nk::first(&trade::price, "open"), nk::max(&trade::price, "high"),  nk::min(&trade::price, "low"),
        nk::last(&trade::price, "close"), nk::sum(&trade::size, "volume"), nk::count("n"),
        nk::mean(&trade::price),          nk::variance(&trade::price),     nk::quantile(&trade::price, 0.5)};
    turns times(bytes);
    bars("bars of 300 rows, 9 aggregates", times, rows, 300, nine);
    bars("bars of 300 rows, without quantile", times, rows, 300, {nine.begin(), nine.end() - 1});
    bars("bars of 300 rows, open high low close", times, rows, 300, {nine.begin(), nine.begin() + 4});
    bars("bars of 10000 rows, 9 aggregates", times, rows, 10'000, nine);
    times.run();

    std::vector<double> prices;
    std::vector<std::int64_t> keys;
    for (std::size_t i = 0; i < bytes / sizeof(double); ++i) {
        prices.push_back(rows[i % rows.size()].price);
        keys.push_back(static_cast<std::int64_t>(i));
    }
    turns windows(bytes);
    for (const auto& [name, of] :
         {std::pair("sum", nk::rolled::sum), std::pair("mean", nk::rolled::mean), std::pair("min", nk::rolled::min),
          std::pair("max", nk::rolled::max), std::pair("std", nk::rolled::std)}) {
        windows.add(std::string("rolling ") + name + " of 100 rows", [&prices, of = of] {
            nk::rolling<double> each({.rows = 100, .of = of});
            sink = sink + each.push(prices)(prices.size() - 1);
        });
        windows.add(std::string("rolling ") + name + " of a span", [&prices, &keys, of = of] {
            nk::rolling<double> each({.span = 100, .of = of});
            sink = sink + each.push(prices, keys)(prices.size() - 1);
        });
    }
    windows.run();
    return 0;
}
