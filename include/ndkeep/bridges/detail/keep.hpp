// SPDX-License-Identifier: BSD-3-Clause
// Which arrays own their elements, so that a bridge can take over an rvalue of them; and whether their elements may be
// written.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bridges/foreign_array.hpp>
#include <ndkeep/tree/shared_array.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

// A list, not a rule: a view, a span or an expression that refers to another array looks like an owner.
template <class A>
inline constexpr bool owns_elements = false;
template <class EC, xt::layout_type L, class SC, class Tag>
inline constexpr bool owns_elements<xt::xarray_container<EC, L, SC, Tag>> = true;
template <class EC, std::size_t N, xt::layout_type L, class Tag>
inline constexpr bool owns_elements<xt::xtensor_container<EC, N, L, Tag>> = true;
template <class T, std::size_t N, xt::layout_type L>
inline constexpr bool owns_elements<mapped<T, N, L>> = true;
template <class T, std::size_t N>
inline constexpr bool owns_elements<foreign_array<T, N>> = true;
template <class T, class Allocator>
inline constexpr bool owns_elements<std::vector<T, Allocator>> = true;
template <class T, std::size_t N>
inline constexpr bool owns_elements<std::array<T, N>> = true;
template <>
inline constexpr bool owns_elements<any_array> = true;
template <>
inline constexpr bool owns_elements<any_foreign_array> = true;
template <>
inline constexpr bool owns_elements<shared_array> = true;

/// A type of which an array_view can be made.
template <class A>
concept viewable = std::convertible_to<A, array_view>;

/// `A` as a forwarding reference: an rvalue that owns its elements.
template <class A>
concept owning_rvalue = !std::is_reference_v<A> && !std::is_const_v<A> && owns_elements<A> && viewable<A>;

/// A view that keeps an array which owns its elements.
template <owning_rvalue A>
[[nodiscard]] array_view kept_view(A&& array) {
    if constexpr (array_like<A>) {
        // Not the conversion of the view: that keeps a const object, of which a std::array is not to be written.
        const auto kept = std::make_shared<A>(std::move(array));
        return array_view(*kept).kept_by(kept);
    } else {
        return std::move(array).operator array_view();
    }
}

/// Whether the elements of an array must not be stored into.
template <class A>
[[nodiscard]] bool elements_are_const(A& array) {
    if constexpr (std::same_as<std::remove_const_t<A>, any_foreign_array>)
        return array.read_only();
    else if constexpr (std::same_as<std::remove_const_t<A>, any_array>)
        return std::is_const_v<A>;
    else if constexpr (requires { std::data(array); })
        return std::is_const_v<std::remove_pointer_t<decltype(std::data(array))>>;
    else  // a scalar, or an array such as shared_array that only gives a view
        return std::is_const_v<A> || !element<A>;
}

}  // namespace ndkeep::inline NDKEEP_ABI::detail
