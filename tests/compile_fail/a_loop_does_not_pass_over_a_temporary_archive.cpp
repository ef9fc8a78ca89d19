// SPDX-License-Identifier: BSD-3-Clause
// expect: deleted
#include <ndkeep/loop.hpp>

double sum(ndkeep::stateful_loop& loop) {
    double all = 0;
#ifdef CONTROL
    const ndkeep::npz_reader archive("run.npz");
    for (const auto& chunk : loop.over<double, 1>(archive))
#else
    for (const auto& chunk : loop.over<double, 1>(ndkeep::npz_reader("run.npz")))
#endif
        all += chunk(0);
    return all;
}
