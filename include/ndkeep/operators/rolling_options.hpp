// SPDX-License-Identifier: BSD-3-Clause
// Options of rolling: the window, and the statistic.
#pragma once

#include <ndkeep/operators/segment_rule.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <optional>

namespace ndkeep::inline NDKEEP_ABI {

/// What `rolling` computes of each window. A class with enumerators, so that `rolled::mean` and the aggregate `mean`
/// differ.
enum class rolled : unsigned char {
    sum,   ///< of its values, as in twice the precision
    mean,  ///< the sum, divided by the number of values
    min,   ///< the least value
    max,   ///< the greatest value
    std,   ///< the standard deviation
};

/// Options of `rolling`. Either `rows` or `span` is given.
struct rolling_options {
    std::uint64_t rows = 0;  ///< of a window, which ends with the present row
    /// The length of a window in keys: a number, or a duration for dates, but no months. The window of key k has the
    /// rows so far with keys above k - span.
    std::optional<key_grid> span = {};
    rolled of = rolled::mean;  ///< the statistic
    /// The least number of values in a window that has a result; pandas calls it min_periods. The default is `rows`, or
    /// 1 with `span`. NaN and NaT are no values.
    std::optional<std::uint64_t> min_rows = {};
    unsigned ddof = 1;  ///< of `std`: the sum of squares is divided by the count less this
};

}  // namespace ndkeep
