// SPDX-License-Identifier: BSD-3-Clause
// rolling: sum, mean, least, greatest or deviation of the last rows, or of the last hour, for each row.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/operators/detail/rolling/window.hpp>
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

/// A statistic of a moving window over values of type T, a number that is not complex, in ordered chunks.
///
///     rolling<double> means({.rows = 20});
///     for (auto chunk : loop.over(prices))
///         sink.append(means.push(chunk));
///
/// There is one result for each row, as double: NaN while the window has fewer than `min_rows` values. Values that are
/// NaN are left out. 64-bit integers and long double are rounded to double first.
///
/// No value is ever subtracted from a result, so that errors do not add up over time, and an infinity is forgotten when
/// it leaves its window. A window is two parts: values that arrived since the last turn, added as they come, and older
/// ones, for which the turn has computed the results of all their tails. A turn happens when the older part is used up,
/// so that the time per row is constant on average, and no result depends on chunks. Sums keep their rounding errors,
/// as those of `segments`. Deviations add the squares of distances from a value near the mean of each part, and combine
/// both parts as two samples.
/// @see Chan, Golub and LeVeque, 1979, for the deviation of two samples
template <element T>
    requires(std::is_arithmetic_v<T> || std::is_convertible_v<T, float>)
class rolling {
  public:
    /// No rows so far.
    /// @throws mismatch_error  neither or both of `rows` and `span`, or months as `span`
    explicit rolling(const rolling_options& options)
        : core_(dtype_of<T>(), {.rows = options.rows,
                                .span = options.span,
                                .statistic = static_cast<detail::window_statistic>(options.of),
                                .min_rows = options.min_rows,
                                .ddof = options.ddof}) {}

    /// Adds the values of some rows, a one-dimensional array of T. Returns the results of these rows.
    /// @throws mismatch_error  another dtype or rank; the window is a span, which needs keys
    xt::xtensor<double, 1> push(const array_view& values) {
        auto results = xt::xtensor<double, 1>::from_shape({values.size()});
        core_.push(values, nullptr, results.data());
        return results;
    }

    /// The same with the keys of the rows, an array of integers, floating-point numbers, dates or durations of the same
    /// length.
    /// @throws mismatch_error  another dtype or length; keys that descend, NaN or NaT, with the number of the row
    xt::xtensor<double, 1> push(const array_view& values, const array_view& keys) {
        auto results = xt::xtensor<double, 1>::from_shape({values.size()});
        core_.push(values, &keys, results.data());
        return results;
    }

    /// Saves the state, for loops: the values of up to two windows, and a few thousand more.
    template <class Writer>
    void save(Writer& out) const {
        core_.save(out);
    }
    /// Loads a state.
    /// @throws mismatch_error  the state of other options or another dtype
    template <class Reader>
    void load(const Reader& in) {
        core_.load(in);
    }

  private:
    detail::rolling_window core_;
};

}  // namespace ndkeep
