// SPDX-License-Identifier: BSD-3-Clause
// Constructing trees from C++ values and from braces.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/tree/detail/branch.hpp>
#include <ndkeep/tree/detail/leaf.hpp>
#include <ndkeep/tree/tree.hpp>
#include <ndkeep/version.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// An item in braces, which records whether it is braces itself.
///
/// Only such an item can be a pair of a dictionary. A tree that happens to hold a list of a string and a value is not.
class tree_item {
  public:
    tree_item() : value_(tree::dictionary()), is_braces_(true) {}
    tree_item(std::initializer_list<tree_item> items)
        : value_(items), is_tree_(items.size() == 1 && items.begin()->is_tree_), is_braces_(!is_tree_) {}
    template <class T>
        requires(tree_value<T> || std::same_as<std::remove_cvref_t<T>, tree>)
    tree_item(T&& value) : value_(std::forward<T>(value)), is_tree_(!tree_value<T>) {}  // NOLINT: implicit
    /// Rejects other types at compile time, with an error that names `tree_value`.
    template <class T,
              class Because = detail::why_no_array<std::remove_cvref_t<T>, detail::does_not_satisfy_tree_value>>
        requires(detail::no_tree<T> && !tree_value<T>)
    tree_item(T&&)
    = delete;  // NOLINT: implicit

    [[nodiscard]] bool is_tree() const noexcept { return is_tree_; }
    [[nodiscard]] bool is_pair() const { return is_braces_ && is_pair(value_); }
    [[nodiscard]] static bool is_pair(const tree& value);
    /// Moves the value out. An initializer_list has constant elements, so the value is mutable. Call it once.
    [[nodiscard]] tree take() const { return std::move(value_); }

  private:
    mutable tree value_;
    bool is_tree_ = false;
    bool is_braces_ = false;
};

namespace detail {

/// A kind as errors name it: "a list".
[[nodiscard]] std::string_view kind_text(tree_kind kind);

/// Moves an `any_array`, and copies every other array.
template <class A>
[[nodiscard]] any_array array_of_its_own(A&& array) {
    if constexpr (std::same_as<std::remove_cvref_t<A>, any_array>)
        return std::forward<A>(array);
    else
        return any_array(array_view(std::forward<A>(array)));
}

}  // namespace detail

template <tree_value T>
tree::tree(T&& value) {
    using type = std::remove_cvref_t<T>;
    if constexpr (std::same_as<type, std::nullptr_t>) {
        return;
    } else if constexpr (std::same_as<type, bool>) {
        content_.emplace<bool>(value);
    } else if constexpr (std::integral<type>) {
        // One form for each integer: unsigned only beyond the signed range.
        if (std::is_unsigned_v<type> && static_cast<std::uint64_t>(value) >> 63 != 0)
            content_.emplace<std::uint64_t>(static_cast<std::uint64_t>(value));
        else
            content_.emplace<std::int64_t>(static_cast<std::int64_t>(value));
    } else if constexpr (std::same_as<type, float> || std::same_as<type, double>) {
        content_.emplace<double>(static_cast<double>(value));
    } else if constexpr (std::same_as<type, std::string>) {
        content_.emplace<detail::text_value>(std::string(std::forward<T>(value)));
    } else if constexpr (detail::tree_text<type>) {
        content_.emplace<detail::text_value>(static_cast<std::string_view>(value));
    } else if constexpr (std::same_as<type, std::vector<tree>>) {
        make_branch(false).values = std::forward<T>(value);
    } else if constexpr (detail::tree_list<type>) {
        make_branch(false).values.assign(value.begin(), value.end());
    } else {
        content_ = leaf_pointer(
            std::make_shared<const detail::leaf_in_memory>(detail::array_of_its_own(std::forward<T>(value))));
    }
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/braces.ipp>
#endif
