// SPDX-License-Identifier: BSD-3-Clause
// The rows of any one-dimensional array as an address and a step. Only expressions are copied.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <iterator>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct rows_in_place {
    const std::byte* first = nullptr;
    std::ptrdiff_t step = 0;  // bytes from one row to the next
    std::size_t count = 0;
    core::buffer copy = {};
};

/// @throws mismatch_error  the array has more or less than one dimension
template <class T, array_like A>
[[nodiscard]] rows_in_place rows_of(const A& array) {
    rows_in_place rows;
    const auto check = [](const auto& shape) {
        if (std::size(shape) != 1)
            throw mismatch_error({.field = "shape", .expected = "1 dimension", .found = shape_text(shape)});
    };
    if constexpr (expression<A> || array_with_data<A>) {
        static_assert(std::is_same_v<std::remove_cv_t<typename std::remove_cvref_t<decltype(*array.data())>>, T> ||
                          !array_with_data<A>,
                      "the rows have another type");
        check(array.shape());
    }
    constexpr bool is_in_memory = [] {
        if constexpr (expression<A>)
            return xt::has_data_interface<A>::value && xt::has_strides<A>::value;
        else
            return array_with_data<A> || flat_range<A>;
    }();
    if constexpr (is_in_memory && expression<A>) {
        static_assert(std::is_same_v<std::remove_cv_t<typename A::value_type>, T>, "the rows have another type");
        rows.first = reinterpret_cast<const std::byte*>(array.data() + array.data_offset());
        rows.count = static_cast<std::size_t>(array.shape()[0]);
        rows.step = static_cast<std::ptrdiff_t>(array.strides()[0]) * static_cast<std::ptrdiff_t>(sizeof(T));
    } else if constexpr (is_in_memory && flat_range<A>) {
        static_assert(std::is_same_v<std::remove_cv_t<std::remove_pointer_t<decltype(std::data(array))>>, T>,
                      "the rows have another type");
        rows.first = reinterpret_cast<const std::byte*>(std::data(array));
        rows.count = std::size(array);
        rows.step = sizeof(T);
    } else if constexpr (is_in_memory) {
        rows.first = reinterpret_cast<const std::byte*>(array.data());
        rows.count = static_cast<std::size_t>(*std::begin(array.shape()));
        rows.step = sizeof(T);
        if constexpr (requires { std::begin(array.strides()); })
            rows.step *= static_cast<std::ptrdiff_t>(*std::begin(array.strides()));
    } else {
        const array_view view(array);
        check(view.shape());
        if (view.type() != dtype_of<T>())
            throw mismatch_error({.field = "dtype", .expected = dtype_of<T>().descr(), .found = view.type().descr()});
        rows.copy = core::buffer(view.nbytes());
        view.fill(0, view.size(), rows.copy.data());
        rows.first = rows.copy.data();
        rows.count = view.size();
        rows.step = sizeof(T);
    }
    return rows;
}

}  // namespace ndkeep::detail
