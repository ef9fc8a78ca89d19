// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/tree/detail/braces.hpp>.
#pragma once

#include <ndkeep/tree/detail/braces.hpp>

#include <ndkeep/error.hpp>

#include <algorithm>
#include <array>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE bool tree_item::is_pair(const tree& value) {
    return value.is_list() && value.size() == 2 && value[0].is_string();
}

namespace detail {

NDKEEP_INLINE std::string_view kind_text(tree_kind kind) {
    constexpr std::array<std::string_view, 8> texts = {"null",     "a boolean", "an integer",   "a real number",
                                                       "a string", "a list",    "a dictionary", "an array"};
    return texts[static_cast<std::size_t>(kind)];
}

}  // namespace detail

NDKEEP_INLINE tree::tree(std::initializer_list<tree_item> items) {
    if (items.size() == 1 && items.begin()->is_tree())
        *this = items.begin()->take();
    else if (std::all_of(items.begin(), items.end(), [](const auto& item) { return item.is_pair(); }))
        *this = dictionary(items);
    else
        *this = list(items);
}

NDKEEP_INLINE tree tree::list(std::initializer_list<tree_item> items) {
    tree out;
    auto& values = out.make_branch(false).values;
    values.reserve(items.size());
    for (const auto& item : items)
        values.push_back(item.take());
    return out;
}

NDKEEP_INLINE tree tree::dictionary(std::initializer_list<tree_item> items) {
    tree out;
    out.make_branch(true);
    for (const auto& item : items) {
        tree pair = item.take();
        if (!tree_item::is_pair(pair))
            throw mismatch_error({.field = "item " + std::to_string(&item - items.begin()),
                                  .expected = "a pair of a string and a value",
                                  .found = pair.is_list() ? "a list of " + counted(pair.size(), "value")
                                                          : std::string(detail::kind_text(pair.kind()))});
        out[pair[0].get<std::string>()] = std::move(pair[1]);
    }
    return out;
}

}  // namespace ndkeep
