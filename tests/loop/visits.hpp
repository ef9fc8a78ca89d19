// SPDX-License-Identifier: BSD-3-Clause
// Records the visits of a pass: one line per body.
#pragma once

#include "loop/loop.hpp"

#include <sstream>

namespace loop_visits {

namespace nk = ndkeep;
using namespace looptest;

/// One line per visit: "index first_row rows last".
template <class Pass>
std::vector<std::string> visits(nk::stateful_loop& loop, Pass&& pass) {
    std::vector<std::string> seen;
    for (const auto& chunk : pass) {
        std::ostringstream line;
        line << loop.index() << ' ' << loop.first_row() << ' ' << chunk.shape()[0] << (loop.is_last() ? " last" : "")
             << (loop.is_warm_up() ? " warm-up" : "");
        seen.push_back(line.str());
    }
    return seen;
}

using lines = std::vector<std::string>;

/// Adds up chunks until one begins at row `broken_off`, then leaves the loop by `break`.
template <class Pass>
void add_until(nk::stateful_loop& loop, std::int64_t& sum, Pass&& pass, std::uint64_t broken_off) {
    for (const auto& chunk : pass) {
        sum += sum_of(chunk);
        if (loop.first_row() == broken_off)
            break;
    }
}

}  // namespace loop_visits
