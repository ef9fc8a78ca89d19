// SPDX-License-Identifier: BSD-3-Clause
// Access to the internals of a tree, for the rest of ndkeep.
#pragma once

#include <ndkeep/tree/tree.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Functions that see the private members of `tree`.
struct tree_access {
    [[nodiscard]] static tree of_leaf(std::shared_ptr<const tree_leaf> leaf);
    [[nodiscard]] static tree of_list(std::vector<tree> values);
    /// A dictionary of as many keys as values. The value of a repeated key replaces the earlier one.
    /// @param repeated  called for each key that was present before
    [[nodiscard]] static tree of_dictionary(std::vector<std::string> keys, std::vector<tree> values,
                                            const std::function<void(const std::string& key)>& repeated);
    /// Makes a null tree a scalar, without a temporary tree.
    template <class Scalar>
    static void set(tree& null, Scalar value) {
        null.content_.emplace<Scalar>(value);
    }
    static void set(tree& null, std::string text) { null.content_.emplace<text_value>(std::move(text)); }
    static void set(tree& null, std::string_view text) { null.content_.emplace<text_value>(text); }
    [[nodiscard]] static const std::shared_ptr<const tree_leaf>& leaf(const tree& of) { return of.leaf(); }
    [[nodiscard]] static std::string_view text(const tree& of) { return std::get<text_value>(of.content_).view(); }
    /// The keys of a dictionary, in the order of its values.
    [[nodiscard]] static const std::string* keys(const tree& of) { return of.keys(); }
    /// Whether an integer exceeds the largest std::int64_t.
    [[nodiscard]] static bool is_unsigned(const tree& of) { return std::holds_alternative<std::uint64_t>(of.content_); }
};

}  // namespace ndkeep::detail
