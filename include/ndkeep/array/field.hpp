// SPDX-License-Identifier: BSD-3-Clause
// field: one member of every struct of an array, as a lazy expression.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

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
    using array = std::remove_cvref_t<std::tuple_element_t<0, typename Function::tuple_type>>;

  public:
    using Function::Function;
    using bool_load_type = xt::bool_load_type<typename Function::value_type>;

    /// The member of the first struct, and the bytes from one to the next along each axis, if the structs are an array
    /// in memory.
    [[nodiscard]] std::pair<const std::byte*, std::vector<std::ptrdiff_t>> members_in_memory() const
        requires(xt::has_data_interface<array>::value&& xt::has_strides<array>::value) {
        const auto& structs = std::get<0>(this->arguments());
        std::vector<std::ptrdiff_t> strides;
        for (const auto& stride : structs.strides())
            strides.push_back(static_cast<std::ptrdiff_t>(stride) *
                              static_cast<std::ptrdiff_t>(sizeof(typename array::value_type)));
        if (structs.size() == 0)
            return {nullptr, std::move(strides)};
        const auto& first = *(structs.data() + structs.data_offset());
        return {reinterpret_cast<const std::byte*>(&(first.*this->functor().member)), std::move(strides)};
    }
};

/// The function of the expression for a member that is an array: reads one element of it. The indices of the struct
/// come first.
template <class Closure, class Struct, class Member>
class member_elements {
    using layout = member_layout<std::remove_cv_t<Member>>;

  public:
    using value = std::remove_cv_t<typename layout::element>;

    member_elements(Closure array, Member Struct::*member) : array_(std::forward<Closure>(array)), member_(member) {}

    template <class... Index>
    [[nodiscard]] value operator()(Index... index) const {
        const std::array<std::size_t, sizeof...(Index)> all{static_cast<std::size_t>(index)...};
        const std::size_t rank = array_.dimension() + layout::rank;
        if (all.size() >= rank)
            return element(all.end() - static_cast<std::ptrdiff_t>(rank), all.end());
        // As in all of xtensor: indices that are left out are leading ones, and 0.
        std::vector<std::size_t> padded(rank - all.size());
        padded.insert(padded.end(), all.begin(), all.end());
        return element(padded.begin(), padded.end());
    }

    template <class It>
    [[nodiscard]] value element(It first, It) const {
        It inner = first;
        std::advance(inner, array_.dimension());
        return at(array_.element(first, inner).*member_, inner);
    }

  private:
    template <class Part, class It>
    [[nodiscard]] static value at(const Part& part, It index) {
        if constexpr (member_layout<Part>::rank == 0) {
            return part;
        } else {
            const auto i = static_cast<std::size_t>(*index);
            return at(part[i], ++index);
        }
    }

    Closure array_;
    Member Struct::*member_;
};

/// The shape type of an expression with `More` more axes.
template <class Shape, std::size_t More>
struct longer_shape {
    using type = xt::dynamic_shape<std::size_t>;
};
template <class Extent, std::size_t N, std::size_t More>
struct longer_shape<std::array<Extent, N>, More> {
    using type = std::array<std::size_t, N + More>;
};

template <class Array, class Struct, class Member>
[[nodiscard]] auto field_of_arrays(Array&& array, Member Struct::*member) {
    using layout = member_layout<std::remove_cv_t<Member>>;
    using elements = member_elements<xt::const_xclosure_t<Array>, Struct, Member>;
    using shape_type = typename longer_shape<std::remove_cvref_t<decltype(array.shape())>, layout::rank>::type;
    std::vector<std::size_t> extents(array.shape().begin(), array.shape().end());
    layout::add_shape(extents);
    auto shape = xtl::make_sequence<shape_type>(extents.size());
    std::copy(extents.begin(), extents.end(), shape.begin());
    return xt::xgenerator<elements, typename elements::value, shape_type>(elements(std::forward<Array>(array), member),
                                                                          shape);
}

}  // namespace detail

/// One member of every struct of `array`, as a lazy expression of the same shape. No element is copied. A member that
/// is an array adds its axes: a `std::array<double, 500>` of n structs is (n, 500).
///
/// The expression keeps an rvalue array. It refers to an lvalue array, which must outlive it.
template <class Array, class Struct, class Member>
    requires xt::is_xexpression<std::remove_cvref_t<Array>>::value &&
        std::is_base_of_v<Struct, typename std::remove_cvref_t<Array>::value_type>
[[nodiscard]] auto field(Array&& array, Member Struct::*member) {
    if constexpr (detail::member_layout<std::remove_cv_t<Member>>::rank != 0) {
        return detail::field_of_arrays(std::forward<Array>(array), member);
    } else {
        using column = detail::column<xt::xfunction<detail::member_of<Struct, Member>, xt::const_xclosure_t<Array>>>;
        return column(detail::member_of<Struct, Member>{member}, std::forward<Array>(array));
    }
}

}  // namespace ndkeep
