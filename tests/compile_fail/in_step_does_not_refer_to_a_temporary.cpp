// SPDX-License-Identifier: BSD-3-Clause
// expect: in_step refers to its readers: give them names
#include <ndkeep/chunks.hpp>

std::size_t count(const ndkeep::chunk_reader<double, 1>& readings) {
    std::size_t all = 0;
#ifdef CONTROL
    const ndkeep::chunk_reader<double, 1> others("others");
    for (auto [a, b] : ndkeep::in_step(readings, others))
#else
    for (auto [a, b] : ndkeep::in_step(readings, ndkeep::chunk_reader<double, 1>("others")))
#endif
        all += a.size() + b.size();
    return all;
}
