// SPDX-License-Identifier: BSD-3-Clause
// More numbers than one piece of a parallel computation, and a comparison of results with tolerance.
#pragma once

#include <ndkeep/array/xtensor.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <random>

namespace many {

using doubles = xt::xtensor<double, 1>;

/// More than one piece, and not a multiple of a piece.
inline doubles many_numbers() {
    doubles all = xt::empty<double>({1'500'001});
    std::mt19937_64 engine(1);
    for (double& value : all)
        value = 1e6 + static_cast<double>(engine() % 1'000'003) / 17;
    all(77) = std::numeric_limits<double>::quiet_NaN();
    all(1'400'000) = -1;
    return all;
}

inline bool near(double a, double b) { return std::abs(a - b) <= 1e-12 * std::abs(b); }

}  // namespace many
