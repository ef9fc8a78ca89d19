// SPDX-License-Identifier: BSD-3-Clause
// The sums of the values of a part of a window, from which results are computed.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Two numbers: one of the older part, one of the newer part.
using two_doubles [[gnu::vector_size(16)]] = double;

/// The sums of some values, whose meaning depends on the statistic. With two_doubles, those of two parts that have the
/// same number of values.
template <class Number>
struct window_sums {
    Number a = {}, b = {}, shift = {};
    double count = 0;
    double settling = 8;
};

/// What is kept of the sums of many sets of values, one array for each member.
class window_columns {
  public:
    /// Makes room for so many sets, and for a vector behind the last one.
    void reserve(std::size_t count);
    /// Only what the statistic uses.
    template <class Statistic>
    void put(std::size_t i, const window_sums<double>& sums) {
        double kept[3];
        Statistic::keep(sums, kept[0], kept[1], kept[2]);
        a[i] = kept[0];
        if constexpr (Statistic::members > 1)
            b[i] = kept[1];
        if constexpr (Statistic::members > 2)
            shift[i] = kept[2];
        count[i] = sums.count;
    }
    /// Copies set `from` of other columns.
    template <class Statistic>
    void copy(std::size_t i, const window_columns& other, std::size_t from) {
        a[i] = other.a[from];
        if constexpr (Statistic::members > 1)
            b[i] = other.b[from];
        if constexpr (Statistic::members > 2)
            shift[i] = other.shift[from];
        count[i] = other.count[from];
    }

    std::vector<double> a, b, shift, count;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/rolling/sums.ipp>
#endif
