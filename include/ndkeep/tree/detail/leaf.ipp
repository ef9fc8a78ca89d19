// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/tree/detail/leaf.hpp>.
#pragma once

#include <ndkeep/tree/detail/leaf.hpp>

#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE void leaf_in_memory::read(const dtype& wanted, order wanted_order, std::byte* out) const {
    const auto name = type().cpp_name();
    const conversion convert(type(), wanted, {}, name.empty() ? "" : "as<" + name + '>');
    convert_elements(*array_, convert, wanted_order, out);
}

NDKEEP_INLINE mapping leaf_in_memory::map(const dtype&, std::size_t) const {
    throw mismatch_error({.field = "array",
                          .expected = "in a file",
                          .found = "in memory",
                          .hint = "as<T, N>() copies it; only trees of open_tree can be mapped"});
}

NDKEEP_INLINE bool equal_leaves(const tree_leaf& a, const tree_leaf& b) {
    // Copies of a tree share leaves. Saves reading the elements.
    if (&a == &b)
        return true;
    if (a.type() != b.type() || a.shape() != b.shape())
        return false;
    const auto x = a.array();
    const auto y = b.array();
    return std::equal(x->bytes().begin(), x->bytes().end(), y->bytes().begin(), y->bytes().end());
}

}  // namespace detail

}  // namespace ndkeep
