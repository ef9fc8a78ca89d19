// SPDX-License-Identifier: BSD-3-Clause
// An array of structs is a NumPy structured array: it is saved, mapped, appended to, and read column by column.
#include <ndkeep/npy.hpp>

#include <chrono>
#include <iostream>

namespace nk = ndkeep;

using instant = std::chrono::sys_time<std::chrono::milliseconds>;

struct trade {
    instant time;
    nk::fixed_string<4> symbol;
    double price;
    std::int32_t size;
};
NDKEEP_FIELDS(trade, time, symbol, price, size);  // in the struct's namespace; padding is handled

int main() {
    using std::chrono::milliseconds;
    const instant open(std::chrono::sys_days(std::chrono::year(2023) / 1 / 25));
    nk::save("trades.npy", std::vector<trade>{{open, "AA", 38.5, 100}, {open + milliseconds(5), "KO", 60.25, 20}});
    nk::append("trades.npy", std::vector<trade>{{open + milliseconds(9), "AA", 38.75, 40}});
    std::cout << nk::inspect("trades.npy").type.descr() << '\n';

    // Nothing is copied: fields are read in place from the file.
    const auto trades = nk::map<trade, 1>("trades.npy");
    const auto price = nk::field(trades, &trade::price);
    const auto size = nk::field(trades, &trade::size);
    std::cout << "turnover " << xt::sum(price * size)() << ", largest trade " << xt::amax(size)() << '\n';
    for (const trade& one : trades)
        std::cout << one.symbol.str() << ' ' << one.size << " at " << one.price << '\n';

    // Without the struct, a field can still be read by its name.
    const auto prices = nk::load_any("trades.npy").field("price").as<double, 1>();
    std::cout << prices.size() << " prices, the last is " << prices(2) << '\n';
}
