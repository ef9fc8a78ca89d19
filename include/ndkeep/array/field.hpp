// SPDX-License-Identifier: BSD-3-Clause
// One member of every struct of an array, as a column.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/version.hpp>

#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

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
