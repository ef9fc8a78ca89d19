// SPDX-License-Identifier: BSD-3-Clause
// as_of: for each row of one ordered array, the row of another with the nearest key before it, after it, or around it.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/operators/as_of_options.hpp>
#include <ndkeep/operators/detail/as_of/windows.hpp>
#include <ndkeep/version.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

template <class Array>
concept column_expression = xt::is_xexpression<std::remove_cvref_t<Array>>::value;

/// The function of the expression `take`: the value of a column in the row that was found, or the fill value.
template <class Closure, std::size_t N>
class taken_values {
  public:
    using value = std::remove_cv_t<typename std::remove_cvref_t<Closure>::value_type>;

    taken_values(Closure column, std::shared_ptr<const xt::xtensor<std::int64_t, N>> rows, value fill)
        : column_(std::forward<Closure>(column)), rows_(std::move(rows)), fill_(fill) {}

    template <class... Index>
    [[nodiscard]] value operator()(Index... index) const {
        return at((*rows_)(index...));
    }
    template <class It>
    [[nodiscard]] value element(It first, It last) const {
        return at(rows_->element(first, last));
    }

  private:
    [[nodiscard]] value at(std::int64_t row) const {
        return row < 0 ? fill_ : static_cast<value>(column_(static_cast<std::size_t>(row)));
    }

    Closure column_;
    std::shared_ptr<const xt::xtensor<std::int64_t, N>> rows_;
    value fill_;
};

}  // namespace detail

/// For each left row, the row of the right side that `as_of` found (N = 1), or the last rows up to it (N = 2).
///
/// "Not found" is apart from all values: `found`, `mask`, and -1 in `rows`.
template <std::size_t N = 1>
class as_of_rows {
  public:
    /// For authors of tools.
    as_of_rows(xt::xtensor<std::int64_t, N> rows, std::shared_ptr<const detail::right_rows> right)
        : rows_(std::make_shared<const xt::xtensor<std::int64_t, N>>(std::move(rows))), right_(std::move(right)) {}

    /// The number of left rows.
    [[nodiscard]] std::size_t size() const noexcept { return rows_->shape()[0]; }

    /// The row of the right side for left row `i`; nullopt if none was found. Of windows: `row(i, j)`, where the oldest
    /// row has `j` = 0.
    template <std::convertible_to<std::size_t>... Index>
        requires(sizeof...(Index) == N)
    [[nodiscard]] std::optional<std::size_t> row(Index... index) const {
        const std::int64_t row = (*rows_)(index...);
        return row < 0 ? std::nullopt : std::optional<std::size_t>(static_cast<std::size_t>(row));
    }

    /// Whether a row was found for left row `i`. Of windows: `found(i, j)`.
    template <std::convertible_to<std::size_t>... Index>
        requires(sizeof...(Index) == N)
    [[nodiscard]] bool found(Index... index) const { return (*rows_)(index...) >= 0; }

    /// The rows of the right side; -1 where none was found.
    [[nodiscard]] const xt::xtensor<std::int64_t, N>& rows() const noexcept { return *rows_; }

    /// Whether a row was found, for all left rows.
    [[nodiscard]] xt::xtensor<bool, N> mask() const {
        auto all = detail::uninitialised<xt::xtensor<bool, N>>(detail::shape_as_vector(*rows_));
        for (std::size_t i = 0; i < rows_->size(); ++i)
            all.data()[i] = rows_->data()[i] >= 0;
        return all;
    }

    /// The values of a column of the right side in the rows that were found, and `fill` elsewhere, as a lazy expression
    /// of the shape of `rows()`. It keeps an rvalue column. It refers to an lvalue column, which must outlive it.
    /// @param column  one-dimensional, with a value for each row of the right side: `field(quotes, &quote::bid)`
    /// @throws mismatch_error  a column of another shape
    template <detail::column_expression Column>
    [[nodiscard]] auto take(Column&& column, typename std::remove_cvref_t<Column>::value_type fill) const {
        using values = detail::taken_values<xt::const_xclosure_t<Column>, N>;
        detail::check_column(detail::shape_as_vector(column), right_->count);
        return xt::xgenerator<values, typename values::value, std::array<std::size_t, N>>(
            values(std::forward<Column>(column), rows_, fill), rows_->shape());
    }

    /// The last `length` rows up to and with the one that was found, the oldest first; with `.by`, rows of the same
    /// group. There is none where the right side begins later. Shape (left rows, length).
    [[nodiscard]] as_of_rows<2> window(std::size_t length) const requires(N == 1) {
        auto all = detail::uninitialised<xt::xtensor<std::int64_t, 2>>({size(), length});
        detail::fill_windows(rows_->data(), size(), length, *right_, all.data());
        return {std::move(all), right_};
    }

  private:
    std::shared_ptr<const xt::xtensor<std::int64_t, N>> rows_;
    std::shared_ptr<const detail::right_rows> right_;
};

/// For each row of `left`, the row of `right` with the nearest key in the direction of the options. Both sides are
/// one-dimensional: keys, or structs with the fields `.on` and `.by`. O(left + right), in one pass.
///
/// Keys are integers, floating-point numbers or times, in ascending order; with `.by` it is enough that the rows of
/// each group are in order. Equal keys may repeat: backward finds the last of them, forward the first. Keys of two
/// integer or two floating-point types, and times of two units, are compared exactly. Text of two lengths in `.by` is
/// compared without trailing zeros.
///
/// Keys in memory are read in place, also `field` of an array. Others, and keys that need conversion, are copied.
///
/// @throws mismatch_error  a key below the one before it, NaN or NaT: the error names the side, the row and both keys;
///                         keys or groups of types that are not comparable; a field that is absent; a negative
///                         tolerance
[[nodiscard]] as_of_rows<1> as_of(const array_view& left, const array_view& right, const as_of_options& options = {});

/// `as_of` of one left side with several right sides: one result for each.
[[nodiscard]] std::vector<as_of_rows<1>> as_of_each(const array_view& left, const std::vector<array_view>& rights,
                                                    const as_of_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/as_of.ipp>
#endif
