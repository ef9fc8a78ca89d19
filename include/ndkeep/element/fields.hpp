// SPDX-License-Identifier: BSD-3-Clause
// NDKEEP_FIELDS: declares a struct as an array element with a structured dtype.
#pragma once

#include <ndkeep/element/element.hpp>

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// One field of a structured dtype.
/// @param T       type of the member
/// @param offset  bytes from the start of the struct
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

/// A structured dtype from fields in any order. Bytes that belong to no field are padding.
[[nodiscard]] dtype declared_struct(std::vector<dtype::field> fields, std::size_t size);

}  // namespace ndkeep::detail

// A macro does not expand inside its own expansion, so NDKEEP_DETAIL_EACH cannot call itself. It therefore leaves
// NDKEEP_DETAIL_EACH_AGAIN and its parentheses apart, which become a call only in the next scan of the text.
// NDKEEP_DETAIL_EXPAND causes more than 4^4 scans, enough for over 300 members.
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
/// Write it at namespace scope, in the namespace of the struct. Members may be elements, structs declared in this way,
/// and C arrays or std::arrays of either. Members that are not listed are padding. In files the elements have a NumPy
/// structured dtype with these names.
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
