// SPDX-License-Identifier: BSD-3-Clause
// Structs as structured dtypes: NDKEEP_FIELDS names their members.
#pragma once

#include <ndkeep/element/element.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

template <class T>
[[nodiscard]] dtype::field declared_field(std::string name, std::size_t offset) {
    using layout = member_layout<std::remove_cv_t<T>>;
    static_assert(ndkeep::element<typename layout::element>, "a field named in NDKEEP_FIELDS is no array element");
    dtype::field field;
    field.name = std::move(name);
    field.type = dtype_of<typename layout::element>();
    field.offset = offset;
    layout::add_shape(field.shape);
    return field;
}

/// A structured dtype from fields named in any order; members that are not named are padding.
[[nodiscard]] dtype declared_struct(std::vector<dtype::field> fields, std::size_t size);

}  // namespace ndkeep::detail

// Each round of NDKEEP_DETAIL_EXPAND scans its text again, which lets NDKEEP_DETAIL_EACH call itself once more;
// 4^4 scans and more are enough for over 300 members.
#define NDKEEP_DETAIL_PARENS ()
#define NDKEEP_DETAIL_EXPAND(...)                                                                                      \
    NDKEEP_DETAIL_EXPAND4(NDKEEP_DETAIL_EXPAND4(NDKEEP_DETAIL_EXPAND4(NDKEEP_DETAIL_EXPAND4(__VA_ARGS__))))
#define NDKEEP_DETAIL_EXPAND4(...)                                                                                     \
    NDKEEP_DETAIL_EXPAND3(NDKEEP_DETAIL_EXPAND3(NDKEEP_DETAIL_EXPAND3(NDKEEP_DETAIL_EXPAND3(__VA_ARGS__))))
#define NDKEEP_DETAIL_EXPAND3(...)                                                                                     \
    NDKEEP_DETAIL_EXPAND2(NDKEEP_DETAIL_EXPAND2(NDKEEP_DETAIL_EXPAND2(NDKEEP_DETAIL_EXPAND2(__VA_ARGS__))))
#define NDKEEP_DETAIL_EXPAND2(...)                                                                                     \
    NDKEEP_DETAIL_EXPAND1(NDKEEP_DETAIL_EXPAND1(NDKEEP_DETAIL_EXPAND1(NDKEEP_DETAIL_EXPAND1(__VA_ARGS__))))
#define NDKEEP_DETAIL_EXPAND1(...) __VA_ARGS__
#define NDKEEP_DETAIL_EACH(type, member, ...)                                                                          \
    ::ndkeep::detail::declared_field<decltype(type::member)>(#member, offsetof(type, member)),                         \
        __VA_OPT__(NDKEEP_DETAIL_EACH_AGAIN NDKEEP_DETAIL_PARENS(type, __VA_ARGS__))
#define NDKEEP_DETAIL_EACH_AGAIN() NDKEEP_DETAIL_EACH

/// Makes a struct an array element: `NDKEEP_FIELDS(trade, time, price, size);`
///
/// Stands at namespace scope, in the struct's own namespace. Members may be elements, structs of this kind, and C
/// arrays or std::arrays of either. Members left out are padding. Files then hold a NumPy structured dtype with these
/// names.
#define NDKEEP_FIELDS(type, ...)                                                                                       \
    static_assert(::std::is_trivially_copyable_v<type> && ::std::is_standard_layout_v<type>,                           \
                  "NDKEEP_FIELDS needs a trivially copyable struct of standard layout");                               \
    [[nodiscard]] inline ::ndkeep::dtype ndkeep_fields_of(::ndkeep::detail::fields_tag<type>) {                        \
        return ::ndkeep::detail::declared_struct({NDKEEP_DETAIL_EXPAND(NDKEEP_DETAIL_EACH(type, __VA_ARGS__))},        \
                                                 sizeof(type));                                                        \
    }                                                                                                                  \
    static_assert(::ndkeep::detail::has_fields<type>, "NDKEEP_FIELDS must stand in the namespace of the struct")

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/element/fields.ipp>
#endif
