// SPDX-License-Identifier: BSD-3-Clause
// Arrays whose elements are in memory, as views of other libraries refer to them.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/version.hpp>

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Where the elements of an array are. T is constant if they must not be changed.
template <class T>
struct elements_in_memory {
    T* data;  // nullptr if there are none
    std::vector<std::size_t> shape;
    std::vector<std::ptrdiff_t> strides;  // in elements
    std::filesystem::path file;           // named in errors; empty without a file

    [[nodiscard]] bool is_contiguous(order wanted) const noexcept {
        return detail::is_contiguous(shape, strides, 1, wanted);
    }
};

/// An array with elements in memory and a C++ type: mapped arrays, xtensor's containers and views of them, vectors,
/// spans, and types with data() and shape().
template <class Array>
concept array_in_memory = array_like<std::remove_const_t<Array>> && requires(Array& array) {
    requires std::is_pointer_v<decltype(array.data())>;
    requires element<std::remove_pointer_t<decltype(array.data())>>;
};

/// The type of the elements, constant if they must not be changed.
template <array_in_memory Array>
using element_in_memory = std::remove_pointer_t<decltype(std::declval<Array&>().data())>;

/// The rank, if the type tells it.
template <class Array>
inline constexpr std::size_t rank_in_memory = any_rank;
template <class Array>
    requires requires { std::tuple_size<typename Array::shape_type>::value; }
inline constexpr std::size_t rank_in_memory<Array> = std::tuple_size<typename Array::shape_type>::value;
template <flat_range Array>
inline constexpr std::size_t rank_in_memory<Array> = 1;

/// The order of the elements, if the type tells it; otherwise `dynamic`.
template <class Array>
inline constexpr xt::layout_type layout_in_memory = xt::layout_type::dynamic;
template <class Array>
    requires requires { Array::static_layout; }
inline constexpr xt::layout_type layout_in_memory<Array> = Array::static_layout;
template <flat_range Array>
inline constexpr xt::layout_type layout_in_memory<Array> = xt::layout_type::row_major;

/// An order as errors name it.
[[nodiscard]] constexpr const char* order_text(order named) noexcept {
    return named == order::column_major ? "column-major" : "row-major";
}

template <array_in_memory Array>
[[nodiscard]] elements_in_memory<element_in_memory<Array>> memory_of(Array& array) {
    using T = element_in_memory<Array>;
    const array_view view(array);
    // As bytes, because the view is of constant elements; `array` itself says whether they are.
    elements_in_memory<T> memory{reinterpret_cast<T*>(const_cast<std::byte*>(view.elements())), view.shape(), {}, {}};
    memory.strides.assign(memory.shape.size(), 0);
    if (memory.data != nullptr)
        for (std::size_t axis = 0; axis < memory.shape.size(); ++axis)
            memory.strides[axis] = view.strides()[axis] / static_cast<std::ptrdiff_t>(sizeof(T));
    if constexpr (requires { std::filesystem::path(array.file()); })
        memory.file = array.file();
    return memory;
}

/// The elements of an array as T. Not as bool, because the array may hold bytes other than 0 and 1.
/// @throws mismatch_error  another dtype
template <element T>
    requires(!std::same_as<std::remove_const_t<T>, bool>)
[[nodiscard]] elements_in_memory<T> memory_of(const any_array& array) {
    if (array.type() != dtype_of<T>())
        throw mismatch_error({.field = "dtype",
                              .expected = ndkeep::quoted(dtype_of<T>().str()),
                              .found = ndkeep::quoted(array.type().str()),
                              .hint = "as converts the byte order in a copy"});
    auto strides = strides_of(array.shape(), 1, order::row_major);
    return {reinterpret_cast<T*>(const_cast<std::byte*>(array.bytes().data())), array.shape(), std::move(strides), {}};
}

}  // namespace ndkeep::detail
