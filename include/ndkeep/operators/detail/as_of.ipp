// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/as_of.hpp>.
#pragma once

#include <ndkeep/operators/as_of.hpp>

#include <ndkeep/operators/detail/as_of/groups.hpp>
#include <ndkeep/operators/detail/as_of/keys.hpp>
#include <ndkeep/operators/detail/as_of/match.hpp>

#include <memory>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE as_of_rows<1> as_of(const array_view& left, const array_view& right, const as_of_options& options) {
    const auto left_rows = detail::memory_of(left, "left"), right_rows = detail::memory_of(right, "right");
    auto sides = detail::sides_of(left_rows, right_rows, options.on, options.by);
    const detail::as_of_rule rule{options.direction, detail::limit_of(options.tolerance, sides.form), options.exact};
    auto rows = detail::uninitialised<xt::xtensor<std::int64_t, 1>>({left_rows.count});
    detail::match_rows(sides, rule, rows.data());
    return {std::move(rows), std::make_shared<const detail::right_rows>(detail::right_rows{
                                 right_rows.count, std::move(sides.groups.right), sides.groups.table.size()})};
}

NDKEEP_INLINE std::vector<as_of_rows<1>> as_of_each(const array_view& left, const std::vector<array_view>& rights,
                                                    const as_of_options& options) {
    std::vector<as_of_rows<1>> all;
    all.reserve(rights.size());
    for (const auto& right : rights)
        all.push_back(as_of(left, right, options));
    return all;
}

}  // namespace ndkeep
