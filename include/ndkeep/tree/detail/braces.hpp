// SPDX-License-Identifier: BSD-3-Clause
// Trees of values and of braces.
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

/// An item of braces, which knows whether it is braces itself: only those are the pairs of a dictionary, whatever the
/// trees beside them hold.
class tree_item {
  public:
    tree_item() : value_(tree::dictionary()), is_braces_(true) {}
    tree_item(std::initializer_list<tree_item> items)
        : value_(items), is_tree_(items.size() == 1 && items.begin()->is_tree_), is_braces_(!is_tree_) {}
    template <class T>
        requires(tree_value<T> || std::same_as<std::remove_cvref_t<T>, tree>)
    tree_item(T&& value) : value_(std::forward<T>(value)), is_tree_(!tree_value<T>) {}  // NOLINT: implicit
    /// Refuses what is no `tree_value` by that name.
    template <class T, class Because = detail::does_not_satisfy_tree_value>
        requires(detail::no_tree<T> && !tree_value<T>)
    tree_item(T&&)
    = delete;  // NOLINT: implicit

    [[nodiscard]] bool is_tree() const noexcept { return is_tree_; }
    [[nodiscard]] bool is_pair() const { return is_braces_ && is_pair(value_); }
    [[nodiscard]] static bool is_pair(const tree& value);
    /// Moved out, which the elements of an initializer_list do not allow of themselves.
    [[nodiscard]] tree take() const { return std::move(value_); }

  private:
    mutable tree value_;
    bool is_tree_ = false;
    bool is_braces_ = false;
};

namespace detail {

[[nodiscard]] std::string_view kind_text(tree_kind kind);

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
        if (std::is_unsigned_v<type> && static_cast<std::uint64_t>(value) >> 63 != 0)
            content_.emplace<std::uint64_t>(static_cast<std::uint64_t>(value));
        else
            content_.emplace<std::int64_t>(static_cast<std::int64_t>(value));
    } else if constexpr (std::same_as<type, float> || std::same_as<type, double>) {
        content_.emplace<double>(static_cast<double>(value));
    } else if constexpr (std::same_as<type, std::string>) {
        content_ = std::make_unique<std::string>(std::forward<T>(value));
    } else if constexpr (detail::tree_text<type>) {
        content_ = std::make_unique<std::string>(static_cast<std::string_view>(value));
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
