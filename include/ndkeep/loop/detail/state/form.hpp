// SPDX-License-Identifier: BSD-3-Clause
// The C++ types that a loop can save, and the form in which each is stored.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <ranges>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

class state_writer;
class state_reader;

namespace detail {

template <class T>
concept saves_itself = requires(const T& from, T& into, state_writer& out, const state_reader& in) {
    from.save(out);
    into.load(in);
};

template <xt::layout_type L>
inline constexpr order order_of_layout = L == layout_of(order::column_major) ? order::column_major : order::row_major;

/// xt::xarray and xt::xtensor of elements, in one of the two orders.
template <class T>
struct state_array : std::false_type {};
template <class S, xt::layout_type L, class Shape, class Tag>
    requires(element<typename S::value_type>&& L != xt::layout_type::dynamic)
struct state_array<xt::xarray_container<S, L, Shape, Tag>> : std::true_type {
    static constexpr std::size_t rank = any_rank;
    static constexpr ndkeep::order order = order_of_layout<L>;
};
template <class S, std::size_t N, xt::layout_type L, class Tag>
    requires(element<typename S::value_type>&& L != xt::layout_type::dynamic)
struct state_array<xt::xtensor_container<S, N, L, Tag>> : std::true_type {
    static constexpr std::size_t rank = N;
    static constexpr ndkeep::order order = order_of_layout<L>;
};

/// Arrays of other libraries that are written and read.
template <class T>
concept bridged_state = adapted<T> && loadable_array<T>;

template <class T>
struct state_list : std::false_type {};
template <class T, class A>
struct state_list<std::vector<T, A>> : std::true_type {};
template <class T, class A>
struct state_list<std::deque<T, A>> : std::true_type {};
template <class T, class A>
struct state_list<std::list<T, A>> : std::true_type {};

template <class T>
struct state_dictionary : std::false_type {};
template <class T, class C, class A>
struct state_dictionary<std::map<std::string, T, C, A>> : std::true_type {};
template <class T, class H, class E, class A>
struct state_dictionary<std::unordered_map<std::string, T, H, E, A>> : std::true_type {};

/// A type that refers to its content and does not own it: it could be saved, but not loaded.
template <class T>
inline constexpr bool is_view =
    std::ranges::enable_view<T> || std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>;

/// A type that nlohmann's JSON converts both ways. Arrays are excluded: JSON would lose their shape.
template <class T>
concept json_value = !xt::is_xexpression<T>::value && !is_view<T> && requires(const T& from, const json& in) {
    json(from);
    { in.get<T>() } -> std::same_as<T>;
};

/// A type whose bytes can be read in another process, as far as the compiler can tell: members that are pointers are
/// not detected, except in classes like std::mdspan.
template <class T>
concept plain_bytes =
    std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> && !is_view<T> && !mdspan_like<T>;

/// The form in which a state is stored.
enum class state_form { none, own, array, sequence, list, dictionary, json, scalar, bytes };

template <class T>
[[nodiscard]] consteval state_form form_of() {
    if constexpr (saves_itself<T>)
        return state_form::own;
    else if constexpr (state_array<T>::value || bridged_state<T>)
        return state_form::array;
    else if constexpr (state_list<T>::value) {
        using item = typename T::value_type;
        if constexpr (std::is_same_v<item, bool>)
            return state_form::json;
        else if constexpr (element<item> && !saves_itself<item>)
            return state_form::sequence;
        else if constexpr (form_of<item>() == state_form::bytes)
            return state_form::sequence;
        else if constexpr (form_of<item>() == state_form::json)
            return state_form::json;
        else
            return form_of<item>() == state_form::none ? state_form::none : state_form::list;
    } else if constexpr (state_dictionary<T>::value) {
        constexpr state_form item = form_of<typename T::mapped_type>();
        return item == state_form::none || item == state_form::json ? item : state_form::dictionary;
    } else if constexpr (std::is_same_v<T, long double>)
        return state_form::scalar;  // JSON would round it to double
    else if constexpr (json_value<T>)
        return state_form::json;
    else if constexpr (element<T>)
        return state_form::scalar;
    else
        return plain_bytes<T> ? state_form::bytes : state_form::none;
}

}  // namespace detail

/// A type that a loop can save:
/// - types with `void save(state_writer&) const` and `void load(const state_reader&)`;
/// - xt::xarray and xt::xtensor of elements, and arrays of other libraries with an `array_adapter` that reads them;
/// - numbers, strings, and all types that nlohmann's JSON converts both ways;
/// - vectors, deques and lists of these, and maps from std::string to these;
/// - trivially copyable types, as their bytes. They must not hold pointers, and their members must not change between
///   versions of the program.
template <class T>
concept loop_state = std::is_object_v<T> && !std::is_const_v<T> && detail::form_of<T>() != detail::state_form::none;

}  // namespace ndkeep
