// SPDX-License-Identifier: BSD-3-Clause
// The sums of the values of a part of a window, from which results are computed.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The sums of some values, whose meaning depends on the statistic.
struct window_sums {
    double a = 0, b = 0, shift = 0, count = 0;
    double settling = 8;
};

/// Sums of many sets of values, one array for each member. Behind the last one is room for a vector.
class window_columns {
  public:
    void resize(std::size_t count);
    /// Only what the statistic uses: the rest stays 0.
    template <class Statistic>
    void put(std::size_t i, const window_sums& sums) {
        a[i] = sums.a;
        if constexpr (Statistic::has_b)
            b[i] = sums.b;
        if constexpr (Statistic::has_shift)
            shift[i] = sums.shift;
        count[i] = sums.count;
    }
    /// Removes the first ones.
    void drop(std::size_t some);

    std::vector<double> a, b, shift, count;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/rolling/sums.ipp>
#endif
