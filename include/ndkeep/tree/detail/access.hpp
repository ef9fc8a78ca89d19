// SPDX-License-Identifier: BSD-3-Clause
// Access to the internals of a tree, for the rest of ndkeep.
#pragma once

#include <ndkeep/tree/tree.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Functions that see the private members of `tree`.
struct tree_access {
    [[nodiscard]] static tree of_leaf(std::shared_ptr<const tree_leaf> leaf);
    [[nodiscard]] static const std::shared_ptr<const tree_leaf>& leaf(const tree& of) { return of.leaf(); }
    [[nodiscard]] static const std::string& text(const tree& of) { return *std::get<tree::text_pointer>(of.content_); }
    /// The keys of a dictionary, in the order of its values.
    [[nodiscard]] static const std::string* keys(const tree& of) { return of.keys(); }
    /// Whether an integer exceeds the largest std::int64_t.
    [[nodiscard]] static bool is_unsigned(const tree& of) { return std::holds_alternative<std::uint64_t>(of.content_); }
};

}  // namespace ndkeep::detail
