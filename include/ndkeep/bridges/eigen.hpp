// SPDX-License-Identifier: BSD-3-Clause
// Eigen: every writer takes its matrices, readers return them, and as_eigen refers to other arrays as an Eigen::Map.
#pragma once

#if !__has_include(<Eigen/Core>)
#error "ndkeep/bridges/eigen.hpp needs Eigen: add the folder that holds Eigen/Core to the include path"
#endif

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bridges/detail/memory.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/version.hpp>

#include <Eigen/Core>

#include <concepts>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

template <>
struct element_type<Eigen::half> {
    [[nodiscard]] static dtype make() { return dtype::plain('f', sizeof(Eigen::half)); }
};
#if EIGEN_VERSION_AT_LEAST(3, 4, 0)
template <>
struct element_type<Eigen::bfloat16> {
    [[nodiscard]] static dtype make() { return dtype::plain('E', sizeof(Eigen::bfloat16)); }
};
#endif

/// Dense matrices, arrays, maps, references, blocks and expressions.
template <class A>
concept eigen_dense = std::is_base_of_v<Eigen::DenseBase<A>, A> && element<typename A::Scalar>;

/// Types whose elements lie in memory, with strides. Views of chosen rows and columns have neither.
template <class A>
concept eigen_in_memory = eigen_dense<A> &&(unsigned{A::Flags} & unsigned{Eigen::DirectAccessBit}) != 0 &&
                          requires(const A& array) {
    array.data();
    array.innerStride();
    array.outerStride();
};

template <class A>
inline constexpr bool is_constant_ref = false;
template <class Plain, int Options, class Stride>
inline constexpr bool is_constant_ref<Eigen::Ref<const Plain, Options, Stride>> = true;

template <class A>
struct eigen_kept {};
// Such a reference may own what it refers to, but its copies do not.
template <class A>
    requires is_constant_ref<A>
struct eigen_kept<A> {
    using kept_type = typename A::PlainObject;
};

/// Eigen::Matrix and Eigen::Array, which own their elements.
template <class A>
concept eigen_plain = eigen_dense<A> && std::is_base_of_v<Eigen::PlainObjectBase<A>, A>;

/// The shapes that a type has. `Eigen::Dynamic` is any number.
struct eigen_shapes {
    Eigen::Index rows, columns, most_rows, most_columns;
    bool is_vector;

    template <eigen_plain A>
    [[nodiscard]] static constexpr eigen_shapes of() {
        return {A::RowsAtCompileTime, A::ColsAtCompileTime, A::MaxRowsAtCompileTime, A::MaxColsAtCompileTime,
                A::IsVectorAtCompileTime != 0};
    }

    /// Rows and columns of an array with one or two dimensions. A vector with one dimension is a column, unless the
    /// type has one row.
    [[nodiscard]] std::pair<Eigen::Index, Eigen::Index> sizes(const std::vector<std::size_t>& shape) const {
        const auto at = [&](std::size_t axis) { return static_cast<Eigen::Index>(shape[axis]); };
        if (shape.size() == 2)
            return {at(0), at(1)};
        return is_row() ? std::pair<Eigen::Index, Eigen::Index>(1, at(0)) : std::pair(at(0), Eigen::Index{1});
    }

    /// Whether an array with one dimension is one row.
    [[nodiscard]] bool is_row() const noexcept { return most_rows == 1; }

    /// What is expected instead of this shape; empty if the type has it.
    [[nodiscard]] std::string refusal(const std::vector<std::size_t>& shape) const {
        for (const std::size_t extent : shape)
            if (extent > static_cast<std::size_t>(std::numeric_limits<Eigen::Index>::max()))
                return "extents below 2^63";
        if (shape.size() == 2 || (shape.size() == 1 && is_vector)) {
            const auto [found_rows, found_columns] = sizes(shape);
            if (has(found_rows, rows, most_rows) && has(found_columns, columns, most_columns))
                return {};
        }
        const auto row_text = text(rows, most_rows, "rows");
        const auto column_text = text(columns, most_columns, "columns");
        return (is_vector ? '(' + (is_row() ? column_text : row_text) + ",) or " : std::string()) + '(' + row_text +
               ", " + column_text + ')';
    }

  private:
    [[nodiscard]] static bool has(Eigen::Index found, Eigen::Index fixed, Eigen::Index most) noexcept {
        return fixed != Eigen::Dynamic ? found == fixed : most == Eigen::Dynamic || found <= most;
    }
    [[nodiscard]] static std::string text(Eigen::Index fixed, Eigen::Index most, const char* any) {
        if (fixed != Eigen::Dynamic)
            return std::to_string(fixed);
        return most == Eigen::Dynamic ? any : "at most " + std::to_string(most);
    }
};

}  // namespace detail

/// Eigen's dense types, whose scalars must satisfy `element`.
///
/// Types with one row or one column are written as arrays with one dimension, all others with two. Matrices, arrays,
/// maps, references and blocks are written from their memory, and in its order. Other expressions, such as `a * b`, are
/// evaluated once, into memory for the complete result.
///
/// Eigen::Matrix and Eigen::Array are read from arrays with two dimensions, those with one row or one column also from
/// arrays with one. Fixed extents must be those of the array.
template <detail::eigen_dense A>
struct array_adapter<A> : detail::eigen_kept<A> {
    using element_type = typename A::Scalar;
    static constexpr order stored_order = A::IsRowMajor ? order::row_major : order::column_major;

    [[nodiscard]] static array_view view(const A& array) {
        if constexpr (!detail::eigen_in_memory<A>) {
            const auto kept = std::make_shared<const typename A::PlainObject>(array);
            return array_view(*kept).kept_by(kept);
        } else if constexpr (A::IsVectorAtCompileTime) {
            return array_view({static_cast<std::size_t>(array.size())}, array.data(), {array.innerStride()});
        } else {
            return array_view({static_cast<std::size_t>(array.rows()), static_cast<std::size_t>(array.cols())},
                              array.data(), {array.rowStride(), array.colStride()});
        }
    }
    [[nodiscard]] static std::string refusal(const std::vector<std::size_t>& shape) requires detail::eigen_plain<A> {
        return detail::eigen_shapes::of<A>().refusal(shape);
    }
    [[nodiscard]] static A make(const std::vector<std::size_t>& shape) requires detail::eigen_plain<A> {
        const auto [rows, columns] = detail::eigen_shapes::of<A>().sizes(shape);
        A array;
        array.resize(rows, columns);
        return array;
    }
    [[nodiscard]] static element_type* elements(A& array) noexcept requires detail::eigen_plain<A> {
        return array.data();
    }
};

namespace detail {

/// The matrix type of as_eigen if none is given: the rank and order of the array.
template <class Array>
    requires(rank_in_memory<Array> == 1 || rank_in_memory<Array> == 2)
struct eigen_of {
    static constexpr int columns = rank_in_memory<Array> == 1 ? 1 : Eigen::Dynamic;
    static constexpr int order =
        columns == 1 || layout_in_memory<Array> == xt::layout_type::column_major ? Eigen::ColMajor : Eigen::RowMajor;
    using type = Eigen::Matrix<std::remove_const_t<element_in_memory<Array>>, Eigen::Dynamic, columns, order>;
};

template <class T, class Plain>
using eigen_constant = std::conditional_t<std::is_const_v<T>, const Plain, Plain>;

/// A stride of the type that Eigen::Map was given. What the type fixes stays as it is, and is compared afterwards.
template <class Stride>
[[nodiscard]] Stride eigen_stride(Eigen::Index outer, Eigen::Index inner) {
    constexpr Eigen::Index fixed_outer = Stride::OuterStrideAtCompileTime;
    constexpr Eigen::Index fixed_inner = Stride::InnerStrideAtCompileTime;
    constexpr bool any_outer = fixed_outer == Eigen::Dynamic;
    constexpr bool any_inner = fixed_inner == Eigen::Dynamic;
    if constexpr (!any_outer && !any_inner)
        return Stride();
    else if constexpr (std::is_constructible_v<Stride, Eigen::Index, Eigen::Index>)
        return Stride(any_outer ? outer : fixed_outer, any_inner ? inner : fixed_inner);
    else
        return Stride(any_outer ? outer : inner);
}

template <class Plain, class Stride, class T>
[[nodiscard]] auto eigen_map(const elements_in_memory<T>& memory) {
    using map_type = Eigen::Map<eigen_constant<T, Plain>, Eigen::Unaligned, Stride>;
    constexpr auto shapes = eigen_shapes::of<Plain>();
    if (auto expected = shapes.refusal(memory.shape); !expected.empty())
        throw mismatch_error({.file = memory.file,
                              .field = "shape",
                              .expected = std::move(expected),
                              .found = shape_text(memory.shape)});
    const auto [rows, columns] = shapes.sizes(memory.shape);
    // The stride of an axis with one element is never used: it becomes that of a contiguous array.
    const Eigen::Index inner_extent = Plain::IsRowMajor ? columns : rows;
    const Eigen::Index outer_extent = Plain::IsRowMajor ? rows : columns;
    Eigen::Index strides[2] = {1, 1};
    for (std::size_t axis = 0; axis < memory.shape.size(); ++axis)
        strides[memory.shape.size() == 1 && shapes.is_row() ? 1 : axis] = memory.strides[axis];
    const Eigen::Index inner = inner_extent > 1 ? strides[Plain::IsRowMajor ? 1 : 0] : 1;
    const Eigen::Index outer = outer_extent > 1 ? strides[Plain::IsRowMajor ? 0 : 1] : inner_extent * inner;
    const map_type map(memory.data, rows, columns, eigen_stride<Stride>(outer, inner));
    if (rows != 0 && columns != 0 &&
        ((inner_extent > 1 && map.innerStride() != inner) || (outer_extent > 1 && map.outerStride() != outer))) {
        constexpr order wanted = Plain::IsRowMajor ? order::row_major : order::column_major;
        constexpr order other = Plain::IsRowMajor ? order::column_major : order::row_major;
        const bool is_other = memory.is_contiguous(other);
        const auto text = [](Eigen::Index row, Eigen::Index column) {
            return '(' + std::to_string(row) + ", " + std::to_string(column) + ')';
        };
        throw mismatch_error(
            {.file = memory.file,
             .field = is_other ? "order" : "strides",
             .expected = is_other ? std::string(order_text(wanted)) : text(map.rowStride(), map.colStride()),
             .found = is_other ? std::string(order_text(other)) : text(strides[0], strides[1]),
             .hint = "as_eigen<M, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>> takes all strides"});
    }
    return map;
}

}  // namespace detail

/// Refers to the elements of an array as an Eigen::Map, without a copy: `as_eigen(mapped)`.
///
/// The array can be a mapped array, an xtensor container or a view of one, a vector, a span, or a type with data() and
/// shape(). If its elements are constant, such as those of a file that is mapped read-only, the result is an
/// `Eigen::Map<const Plain>`. The array must outlive the map; temporaries are rejected.
///
/// Without `Plain`, the type of the array must tell its rank, 1 or 2; the map has its order, and is a column if the
/// rank is 1: `as_eigen<Eigen::MatrixXd>(array)` chooses. Without `Stride`, the elements must be contiguous in the
/// order of the map, which Eigen computes fastest. `Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>` takes every array.
///
/// @tparam Plain   the Eigen::Matrix or Eigen::Array to map; see `array_adapter` for its shape
/// @tparam Stride  as of Eigen::Map
/// @throws mismatch_error  another shape, order or stride
template <class Plain = void, class Stride = Eigen::Stride<0, 0>, detail::array_in_memory Array>
    requires(std::is_void_v<Plain>)
[[nodiscard]] auto as_eigen(Array& array) {
    return detail::eigen_map<typename detail::eigen_of<Array>::type, Stride>(detail::memory_of(array));
}
template <detail::eigen_plain Plain, class Stride = Eigen::Stride<0, 0>, detail::array_in_memory Array>
    requires std::same_as<typename Plain::Scalar, std::remove_const_t<detail::element_in_memory<Array>>>
[[nodiscard]] auto as_eigen(Array& array) { return detail::eigen_map<Plain, Stride>(detail::memory_of(array)); }
/// The same for an array whose dtype is known only at run time.
/// @throws mismatch_error  another dtype, shape, order or stride
template <detail::eigen_plain Plain, class Stride = Eigen::Stride<0, 0>>
[[nodiscard]] auto as_eigen(any_array& array) {
    return detail::eigen_map<Plain, Stride>(detail::memory_of<typename Plain::Scalar>(array));
}
template <detail::eigen_plain Plain, class Stride = Eigen::Stride<0, 0>>
[[nodiscard]] auto as_eigen(const any_array& array) {
    return detail::eigen_map<Plain, Stride>(detail::memory_of<const typename Plain::Scalar>(array));
}
/// Deleted, because the map would outlive a temporary: give the array a name.
template <class Plain = void, class Stride = Eigen::Stride<0, 0>, class Array>
    requires(!std::is_lvalue_reference_v<Array>)
void as_eigen(Array&&) = delete;

}  // namespace ndkeep
