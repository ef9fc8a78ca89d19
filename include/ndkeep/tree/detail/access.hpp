// SPDX-License-Identifier: BSD-3-Clause
// What the rest of ndkeep knows of a tree, and its users need not.
#pragma once

#include <ndkeep/tree/tree.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct tree_access {
    [[nodiscard]] static tree of_leaf(std::shared_ptr<const tree_leaf> leaf);
    [[nodiscard]] static const std::shared_ptr<const tree_leaf>& leaf(const tree& of) { return of.leaf(); }
    [[nodiscard]] static const std::string& text(const tree& of) { return *std::get<tree::text_pointer>(of.content_); }
    /// Of a dictionary, beside its values.
    [[nodiscard]] static const std::string* keys(const tree& of) { return of.keys(); }
    [[nodiscard]] static bool is_unsigned(const tree& of) { return std::holds_alternative<std::uint64_t>(of.content_); }
};

}  // namespace ndkeep::detail
