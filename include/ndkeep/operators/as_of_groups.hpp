// SPDX-License-Identifier: BSD-3-Clause
// as_of_groups: for each left row, rows of several right sides that a table chooses.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/operators/as_of.hpp>
#include <ndkeep/version.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Which group each place of each left row takes, and the row of that group; -1 is no row.
struct group_rows {
    xt::xtensor<std::int64_t, 2> groups, rows;
    std::vector<std::size_t> counts;  // rows of each group
};

/// @throws mismatch_error  not one column for each group
void check_column_count(std::size_t columns, std::size_t groups);

/// The function of the expression `take` for columns of several groups.
template <class Column>
class taken_of_groups {
  public:
    using value = std::remove_cv_t<typename Column::value_type>;

    taken_of_groups(std::vector<Column> columns, std::shared_ptr<const group_rows> found, value fill)
        : columns_(std::move(columns)), found_(std::move(found)), fill_(fill) {}

    template <class... Index>
    [[nodiscard]] value operator()(Index... index) const {
        return at(found_->groups(index...), found_->rows(index...));
    }
    template <class It>
    [[nodiscard]] value element(It first, It last) const {
        return at(found_->groups.element(first, last), found_->rows.element(first, last));
    }

  private:
    [[nodiscard]] value at(std::int64_t group, std::int64_t row) const {
        return row < 0 ? fill_
                       : static_cast<value>(columns_[static_cast<std::size_t>(group)](static_cast<std::size_t>(row)));
    }

    std::vector<Column> columns_;
    std::shared_ptr<const group_rows> found_;
    value fill_;
};

}  // namespace detail

/// The rows that `as_of_groups` found: shape (left rows, places).
class as_of_combinations {
  public:
    /// For authors of tools.
    explicit as_of_combinations(detail::group_rows found)
        : found_(std::make_shared<const detail::group_rows>(std::move(found))) {}

    /// The number of left rows.
    [[nodiscard]] std::size_t size() const noexcept { return found_->rows.shape()[0]; }
    /// The row of its group for place `place` of left row `i`; nullopt if none was found.
    [[nodiscard]] std::optional<std::size_t> row(std::size_t i, std::size_t place) const {
        const std::int64_t row = found_->rows(i, place);
        return row < 0 ? std::nullopt : std::optional<std::size_t>(static_cast<std::size_t>(row));
    }
    /// Whether a row was found.
    [[nodiscard]] bool found(std::size_t i, std::size_t place) const { return found_->rows(i, place) >= 0; }
    /// The rows, each of its group; -1 where none was found.
    [[nodiscard]] const xt::xtensor<std::int64_t, 2>& rows() const noexcept { return found_->rows; }

    /// The values in these rows, and `fill` elsewhere, as a lazy expression of the shape of `rows()`. It keeps copies
    /// of the columns; columns such as `field` of an lvalue refer to their array.
    /// @param columns  one for each group, with a value for each row of it
    /// @throws mismatch_error  another number of columns, or columns of other shapes
    template <detail::column_expression Column>
    [[nodiscard]] auto take(std::vector<Column> columns, typename Column::value_type fill) const {
        using values = detail::taken_of_groups<Column>;
        detail::check_column_count(columns.size(), found_->counts.size());
        for (std::size_t group = 0; group < columns.size(); ++group)
            detail::check_column(detail::shape_as_vector(columns[group]), found_->counts[group]);
        return xt::xgenerator<values, typename values::value, std::array<std::size_t, 2>>(
            values(std::move(columns), found_, fill), found_->rows.shape());
    }
    template <detail::column_expression Column>
    [[nodiscard]] auto take(std::initializer_list<Column> columns, typename Column::value_type fill) const {
        return take(std::vector<Column>(columns), fill);
    }

  private:
    std::shared_ptr<const detail::group_rows> found_;
};

/// `as_of` with several right sides of the same kind, such as the quotes of several instruments. A table of shape
/// (left rows, places) has for each place of each left row the number of the right side, its group. Groups that the
/// table does not name are only checked.
///
/// @param combinations  integers from 0 to the number of groups - 1
/// @throws mismatch_error  the errors of `as_of`; a group that does not exist, or a table of another shape or dtype
[[nodiscard]] as_of_combinations as_of_groups(const array_view& left, const std::vector<array_view>& groups,
                                              const array_view& combinations, const as_of_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/as_of_groups.ipp>
#endif
