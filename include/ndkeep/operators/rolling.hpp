// SPDX-License-Identifier: BSD-3-Clause
// rolling: sum, mean, least, greatest or deviation of the last rows, or of the last hour, for each row.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/operators/detail/rolling/window.hpp>
#include <ndkeep/operators/rolling_options.hpp>
#include <ndkeep/version.hpp>

#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

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
    explicit rolling(const rolling_options& options) : core_(dtype_of<T>(), options) {}

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
