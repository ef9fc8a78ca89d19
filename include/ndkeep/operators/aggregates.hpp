// SPDX-License-Identifier: BSD-3-Clause
// Aggregates of a segment: first, last, min, max, sum, count, mean, variance, quantile, and reductions of the user.
#pragma once

#include <ndkeep/element/element.hpp>
#include <ndkeep/operators/detail/segments/reducer.hpp>
#include <ndkeep/version.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// The number of rows of a segment: what `count("n")` returns.
class row_count {
  public:
    /// For `count`.
    explicit row_count(std::string name) : name_(std::move(name)) {}
    /// The name of the output field.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

  private:
    std::string name_;
};

/// One output field of `segments<T>`. The functions below make it.
///
/// Missing values, which are NaN and NaT, are treated by one rule for all aggregates: see `nan_rule`. A result without
/// any value is null: NaN, NaT, and 0 in integer and text fields, which have no null. Add `count` to tell that 0 from a
/// value. Counts are 0.
template <element T>
class aggregate {
  public:
    /// The number of rows.
    aggregate(const row_count& rows)  // NOLINT: implicit
        : reducer_{.kind = detail::reduction::rows, .output = rows.name()} {}
    /// For the functions below.
    explicit aggregate(detail::reducer reducer) : reducer_(std::move(reducer)) {}

    /// For the class `segments`.
    [[nodiscard]] const detail::reducer& reducer() const noexcept { return reducer_; }

  private:
    detail::reducer reducer_;
};

namespace detail {

template <class Struct, class Member>
[[nodiscard]] aggregate<Struct> aggregate_of(reduction kind, Member Struct::*member, std::string name,
                                             double parameter = 0) {
    return aggregate<Struct>(
        reducer_of(kind, dtype_of<Struct>(), offset_of(member), dtype_of<Member>(), std::move(name), parameter));
}

}  // namespace detail

// In each of these functions, an empty name stands for "<field>_<function>", such as "price_mean".

/// The first value, in the dtype of the field. Works for every dtype.
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> first(Member Struct::*member, std::string name = {}) {
    return detail::aggregate_of(detail::reduction::first, member, std::move(name));
}
/// The last value, in the dtype of the field. Works for every dtype.
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> last(Member Struct::*member, std::string name = {}) {
    return detail::aggregate_of(detail::reduction::last, member, std::move(name));
}
/// The least value, in the dtype of the field: a number that is not complex, a date or a duration.
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> min(Member Struct::*member, std::string name = {}) {
    return detail::aggregate_of(detail::reduction::min, member, std::move(name));
}
/// The greatest value, in the dtype of the field: a number that is not complex, a date or a duration.
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> max(Member Struct::*member, std::string name = {}) {
    return detail::aggregate_of(detail::reduction::max, member, std::move(name));
}
/// The sum of numbers that are not complex: int64 for signed integers and bool, uint64 for unsigned integers, double
/// otherwise. An integer sum that leaves these 64 bits at any row is an error.
///
/// Doubles are added in eight lanes: value i of the segment belongs to lane i % 8, however the rows arrive. Each lane
/// keeps the rounding errors of its additions, and adds them at the end. So the sum is as if it were computed in twice
/// the precision and rounded, and does not depend on chunks.
/// @see Knuth, TAOCP 2, 4.2.2, and Ogita, Rump and Oishi, 2005, "Accurate sum and dot product"
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> sum(Member Struct::*member, std::string name = {}) {
    return detail::aggregate_of(detail::reduction::sum, member, std::move(name));
}
/// The number of rows, as int64. The rows of missing values count too.
[[nodiscard]] inline row_count count(std::string name) { return row_count(std::move(name)); }
/// The number of values that are not missing, as int64.
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> count(Member Struct::*member, std::string name = {}) {
    return detail::aggregate_of(detail::reduction::count, member, std::move(name));
}
/// The mean of numbers that are not complex, as double: the accurate sum, divided by the count. Sums of integers are
/// exact here, in 128 bits.
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> mean(Member Struct::*member, std::string name = {}) {
    return detail::aggregate_of(detail::reduction::mean, member, std::move(name));
}

/// Options of `variance`.
struct variance_options {
    unsigned ddof = 1;  ///< the sum of squares is divided by the count less this; 1 as in pandas, 0 for a population
};

/// The variance of numbers that are not complex, as double; null if there are no more than `ddof` values.
///
/// It sums the distances from a value near the mean, and their squares, in the compensated lanes of `sum`. That value
/// begins as the first one, and becomes the mean of all values so far when their number is 8, 64, 512, …. So the
/// relative error is a few times the precision of double, however far the mean is from 0, and the variance does not
/// depend on chunks.
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> variance(Member Struct::*member, std::string name = {},
                                         const variance_options& options = {}) {
    return detail::aggregate_of(detail::reduction::variance, member, std::move(name), options.ddof);
}

/// The quantile of numbers that are not complex, as double: linear between the two nearest values, as in NumPy and
/// pandas. It is exact: all values of the segment are in memory, and in its saved state, at 8 bytes each.
/// @param at  from 0 to 1
/// @throws mismatch_error  `at` is out of range
template <element Struct, element Member>
[[nodiscard]] aggregate<Struct> quantile(Member Struct::*member, double at, std::string name = {}) {
    return detail::aggregate_of(detail::reduction::quantile, member, std::move(name), at);
}

/// A reduction of the user over one field, such as the norm of the prices.
///
///     reduce(&trade::price, 0.0, [](double& sum, double price) { sum += price * price; },
///            [](double sum) { return std::sqrt(sum); }, "norm")
///
/// It gets every row, also NaN. Of a segment without rows, the result is `finish(initial)`. It does not depend on
/// chunks, because it sees one row at a time.
/// @param initial  the state at the begin of a segment: trivially copyable, without pointers
/// @param step     called as `step(State&, const Member&)` for each row
/// @param finish   called as `finish(const State&)`; returns an element
template <element Struct, element Member, class State, class Step, class Finish>
    requires std::is_trivially_copyable_v<State> && std::invocable<const Step&, State&, const Member&> &&
        element<std::remove_cvref_t<std::invoke_result_t<const Finish&, const State&>>>
[[nodiscard]] aggregate<Struct> reduce(Member Struct::*member, State initial, Step step, Finish finish,
                                       std::string name) {
    auto reducer = detail::reducer_of(detail::reduction::own, dtype_of<Struct>(), detail::offset_of(member),
                                      dtype_of<Member>(), std::move(name), 0);
    reducer.own = detail::own_reduction_of<Member>(initial, std::move(step), std::move(finish));
    return aggregate<Struct>(std::move(reducer));
}

/// A reduction of the user over complete rows: `reduce_rows<trade>(initial, step, finish, "name")`, with
/// `step(State&, const trade&)`. Otherwise it is as `reduce`.
template <element Struct, class State, class Step, class Finish>
    requires std::is_trivially_copyable_v<State> && std::invocable<const Step&, State&, const Struct&> &&
        element<std::remove_cvref_t<std::invoke_result_t<const Finish&, const State&>>>
[[nodiscard]] aggregate<Struct> reduce_rows(State initial, Step step, Finish finish, std::string name) {
    detail::reducer reducer{.kind = detail::reduction::own, .output = std::move(name)};
    reducer.own = detail::own_reduction_of<Struct>(initial, std::move(step), std::move(finish));
    return aggregate<Struct>(std::move(reducer));
}

}  // namespace ndkeep
