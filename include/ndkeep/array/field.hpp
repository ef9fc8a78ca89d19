// SPDX-License-Identifier: BSD-3-Clause
// field: one member of every struct of an array, as a lazy expression.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/version.hpp>

#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The function of the expression: reads one member of a struct.
template <class Struct, class Member>
struct member_of {
    Member Struct::*member;
    [[nodiscard]] Member operator()(const Struct& row) const { return row.*member; }
};

/// A function expression that loads values of the member's type. An xt::xfunction takes the load type of its operand,
/// the struct, and xtensor would try to promote that type when columns are combined.
///
/// The expression must be the only template argument: otherwise xtensor does not treat a derived class as an
/// expression.
template <class Function>
class column : public Function {
  public:
    using Function::Function;
    using bool_load_type = xt::bool_load_type<typename Function::value_type>;
};

}  // namespace detail

/// One member of every struct of `array`, as a lazy expression of the same shape. No element is copied.
///
/// The expression keeps an rvalue array. It refers to an lvalue array, which must outlive it.
template <class Array, class Struct, class Member>
    requires xt::is_xexpression<std::remove_cvref_t<Array>>::value &&
        std::is_base_of_v<Struct, typename std::remove_cvref_t<Array>::value_type>
[[nodiscard]] auto field(Array&& array, Member Struct::*member) {
    using column = detail::column<xt::xfunction<detail::member_of<Struct, Member>, xt::const_xclosure_t<Array>>>;
    return column(detail::member_of<Struct, Member>{member}, std::forward<Array>(array));
}

}  // namespace ndkeep
