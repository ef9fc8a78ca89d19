// SPDX-License-Identifier: BSD-3-Clause
// expect: a pass refers to its source: give it a name
#include <ndkeep/loop.hpp>

double sum(ndkeep::stateful_loop& loop) {
    double all = 0;
#ifdef CONTROL
    const ndkeep::chunk_reader<double, 1> readings("readings");
    for (const auto& chunk : loop.over(readings))
#else
    for (const auto& chunk : loop.over(ndkeep::chunk_reader<double, 1>("readings")))
#endif
        all += chunk(0);
    return all;
}
