// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): no matching function|discards qualifiers
// expect(clang): no matching member function|expects an lvalue
#include <ndkeep/loop.hpp>

double sum(const ndkeep::chunk_reader<double, 1>& readings) {
    double all = 0;
#ifdef CONTROL
    ndkeep::stateful_loop loop("sum.state");
    for (const auto& chunk : loop.over(readings))
#else
    for (const auto& chunk : ndkeep::stateful_loop("sum.state").over(readings))
#endif
        all += chunk(0);
    return all;
}
