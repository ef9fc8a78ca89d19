// SPDX-License-Identifier: BSD-3-Clause
// Structs as structured dtypes: NDKEEP_FIELDS names their members, field() gives one member as a column.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>

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

namespace ndkeep {

namespace detail {

template <class Struct, class Member>
struct member_of {
    Member Struct::*member;
    [[nodiscard]] Member operator()(const Struct& row) const { return row.*member; }
};

/// A function expression whose value type is its own, where xtensor would promote the struct when columns are combined.
/// xtensor takes what derives from an expression for one only if the expression is the sole template argument.
template <class Function>
class column : public Function {
  public:
    using Function::Function;
    using bool_load_type = xt::bool_load_type<typename Function::value_type>;
};

}  // namespace detail

/// One member of every struct of `array`, as a lazy expression of the same shape: nothing is copied.
///
/// An array given as an rvalue is kept inside the expression; one given by name is referred to.
template <class Array, class Struct, class Member>
    requires xt::is_xexpression<std::remove_cvref_t<Array>>::value &&
        std::is_base_of_v<Struct, typename std::remove_cvref_t<Array>::value_type>
[[nodiscard]] auto field(Array&& array, Member Struct::*member) {
    using column = detail::column<xt::xfunction<detail::member_of<Struct, Member>, xt::const_xclosure_t<Array>>>;
    return column(detail::member_of<Struct, Member>{member}, std::forward<Array>(array));
}

}  // namespace ndkeep
