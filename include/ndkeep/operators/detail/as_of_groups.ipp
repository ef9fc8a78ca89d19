// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/as_of_groups.hpp>.
#pragma once

#include <ndkeep/operators/as_of_groups.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/element/dispatch.hpp>

#include <string>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE void check_column_count(std::size_t columns, std::size_t groups) {
    if (columns != groups)
        throw mismatch_error(
            {.field = "columns", .expected = counted(groups, "column"), .found = counted(columns, "column")});
}

}  // namespace detail

NDKEEP_INLINE as_of_combinations as_of_groups(const array_view& left, const std::vector<array_view>& groups,
                                              const array_view& combinations, const as_of_options& options) {
    const auto refuse = [](std::string field, std::string expected, std::string found) {
        return mismatch_error({.field = std::move(field), .expected = std::move(expected), .found = std::move(found)});
    };
    const auto& shape = combinations.shape();
    const std::size_t count = left.shape().empty() ? 0 : left.shape()[0];
    if (shape.size() != 2 || shape[0] != count)
        throw refuse("shape of the combinations", "(" + std::to_string(count) + ", places)", shape_text(shape));
    if (!combinations.type().is_integer())
        throw refuse("dtype of the combinations", "integers", ndkeep::quoted(core::dtype_text(combinations.type())));
    const any_array table(combinations);
    detail::group_rows found{detail::uninitialised<xt::xtensor<std::int64_t, 2>>(shape),
                             detail::uninitialised<xt::xtensor<std::int64_t, 2>>(shape),
                             {}};
    (void)core::with_element_type(table.type(), [&]<class Number>(std::type_identity<Number>) {
        if constexpr (std::is_integral_v<Number> && !std::is_same_v<Number, bool>) {
            const auto numbers = table.as<Number>();
            for (std::size_t i = 0; i < numbers.size(); ++i) {
                const Number group = numbers.data()[i];
                if (!std::in_range<std::size_t>(group) || static_cast<std::size_t>(group) >= groups.size())
                    throw refuse("combination of left row " + std::to_string(i / shape[1]),
                                 "a group, of which there are " + std::to_string(groups.size()) + ", from 0 on",
                                 std::to_string(group));
                found.groups.data()[i] = static_cast<std::int64_t>(group);
            }
        }
    });
    std::vector<as_of_rows<1>> each = as_of_each(left, groups, options);
    for (std::size_t i = 0; i < found.rows.size(); ++i)
        found.rows.data()[i] = each[static_cast<std::size_t>(found.groups.data()[i])].rows()(i / shape[1]);
    for (const auto& group : groups)
        found.counts.push_back(group.shape()[0]);
    return as_of_combinations(std::move(found));
}

}  // namespace ndkeep
