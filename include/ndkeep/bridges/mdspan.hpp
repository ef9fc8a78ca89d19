// SPDX-License-Identifier: BSD-3-Clause
// mdspan, of the standard library or Kokkos: every writer takes one, and as_mdspan refers to other arrays as one.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bridges/detail/memory.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/version.hpp>

#include <version>  // __cpp_lib_mdspan

#if defined(__cpp_lib_mdspan)
#include <mdspan>
#elif __has_include(<mdspan/mdspan.hpp>)
#include <mdspan/mdspan.hpp>
#elif __has_include(<experimental/mdspan>)
#include <experimental/mdspan>
#else
#error "ndkeep/bridges/mdspan.hpp needs an mdspan: that of C++23, or the headers of github.com/kokkos/mdspan"
#endif

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

// Kokkos' headers name their namespace by this macro, which their users can set. Before it, they had one name.
#if defined(__cpp_lib_mdspan)
namespace mdspan_library = ::std;
#elif defined(MDSPAN_IMPL_STANDARD_NAMESPACE)
namespace mdspan_library = ::MDSPAN_IMPL_STANDARD_NAMESPACE;
#else
namespace mdspan_library = ::std::experimental;
#endif

/// A mapping that can have strides.
template <class Mapping>
concept strided_mapping = requires(const Mapping& mapping) {
    mapping.is_strided();
    requires Mapping::extents_type::rank()
    == 0 || requires { mapping.stride(0); };
};

}  // namespace detail

/// An mdspan with any extents and any layout that has strides, whose elements its default accessor accesses.
template <element T, class Extents, class Layout>
    requires detail::strided_mapping<typename Layout::template mapping<Extents>>
struct array_adapter<detail::mdspan_library::mdspan<T, Extents, Layout, detail::mdspan_library::default_accessor<T>>> {
    using array_type = detail::mdspan_library::mdspan<T, Extents, Layout, detail::mdspan_library::default_accessor<T>>;

    /// @throws mismatch_error  the layout has no strides with these extents
    [[nodiscard]] static array_view view(const array_type& array) {
        std::vector<std::size_t> shape;
        std::vector<std::ptrdiff_t> strides;
        if (!array.mapping().is_strided())
            throw mismatch_error({.field = "layout", .expected = "strides", .found = "none"});
        if constexpr (Extents::rank() != 0)
            for (std::size_t axis = 0; axis < Extents::rank(); ++axis) {
                using rank_type = typename Extents::rank_type;
                shape.push_back(static_cast<std::size_t>(array.extents().extent(static_cast<rank_type>(axis))));
                strides.push_back(static_cast<std::ptrdiff_t>(array.mapping().stride(static_cast<rank_type>(axis))));
            }
        return array_view(std::move(shape), array.data_handle(), strides);
    }
};

namespace detail {

/// The layout of as_mdspan: that of the array if its type tells it, otherwise strides.
template <class Array>
using mdspan_layout =
    std::conditional_t<layout_in_memory<Array> == xt::layout_type::row_major, mdspan_library::layout_right,
                       std::conditional_t<layout_in_memory<Array> == xt::layout_type::column_major,
                                          mdspan_library::layout_left, mdspan_library::layout_stride>>;

/// @throws mismatch_error  another rank, or strides that the layout does not have
template <std::size_t N, class Layout, class T>
[[nodiscard]] auto mdspan_of(const elements_in_memory<T>& memory) {
    using extents_type = mdspan_library::dextents<std::size_t, N>;
    using mapping_type = typename Layout::template mapping<extents_type>;
    using mdspan_type = mdspan_library::mdspan<T, extents_type, Layout>;
    if (memory.shape.size() != N)
        throw mismatch_error({.file = memory.file,
                              .field = "shape",
                              .expected = counted(N, "dimension"),
                              .found = shape_text(memory.shape),
                              .hint = "N is " + std::to_string(memory.shape.size())});
    std::array<std::size_t, N> shape{};
    for (std::size_t axis = 0; axis < N; ++axis)
        shape[axis] = memory.shape[axis];
    if constexpr (std::is_same_v<Layout, mdspan_library::layout_stride>) {
        // Strides that are never used, those of axes with one element and of empty arrays, must be positive as well.
        std::array<std::size_t, N> strides{};
        for (std::size_t axis = 0; axis < N; ++axis) {
            const std::ptrdiff_t stride = memory.data == nullptr || shape[axis] == 1 ? 1 : memory.strides[axis];
            if (stride <= 0)
                throw mismatch_error({.file = memory.file,
                                      .field = "strides",
                                      .expected = "above 0, as those of an mdspan",
                                      .found = shape_text(memory.strides)});
            strides[axis] = static_cast<std::size_t>(stride);
        }
        return mdspan_type(memory.data, mapping_type(extents_type(shape), strides));
    } else {
        constexpr order wanted =
            std::is_same_v<Layout, mdspan_library::layout_left> ? order::column_major : order::row_major;
        if (!memory.is_contiguous(wanted))
            throw mismatch_error({.file = memory.file,
                                  .field = "strides",
                                  .expected = order_text(wanted),
                                  .found = shape_text(memory.strides)});
        return mdspan_type(memory.data, mapping_type(extents_type(shape)));
    }
}

}  // namespace detail

/// Refers to the elements of an array as an mdspan, without a copy: `as_mdspan(mapped)`. The array can be a mapped
/// array, an xtensor container or a view of one, a vector, a span, or a type with data() and shape(). The elements are
/// constant if those of the array are, as in a file that is mapped read-only. The array must outlive the mdspan;
/// temporaries are rejected.
///
/// The layout is layout_right for row-major arrays, layout_left for column-major ones, and layout_stride for arrays
/// whose type does not tell the order, such as views.
///
/// @tparam N  the rank; may be left out if the type of the array tells it
/// @throws mismatch_error  another rank, or strides that are not positive
template <std::size_t N = any_rank, detail::array_in_memory Array>
    requires(detail::rank_in_memory<Array> != any_rank ? N == any_rank || N == detail::rank_in_memory<Array>
                                                       : N != any_rank)
[[nodiscard]] auto as_mdspan(Array& array) {
    constexpr std::size_t rank = N == any_rank ? detail::rank_in_memory<Array> : N;
    return detail::mdspan_of<rank, detail::mdspan_layout<Array>>(detail::memory_of(array));
}
/// The same for an array whose dtype is known only at run time: `as_mdspan<double, 2>(array)`.
/// @throws mismatch_error  another dtype or rank
template <element T, std::size_t N>
    requires(N != any_rank)
[[nodiscard]] auto as_mdspan(any_array& array) {
    return detail::mdspan_of<N, detail::mdspan_library::layout_right>(detail::memory_of<T>(array));
}
template <element T, std::size_t N>
    requires(N != any_rank)
[[nodiscard]] auto as_mdspan(const any_array& array) {
    return detail::mdspan_of<N, detail::mdspan_library::layout_right>(detail::memory_of<const T>(array));
}
/// Deleted, because the mdspan would outlive a temporary: give the array a name.
template <std::size_t N = any_rank, class Array>
    requires(!std::is_lvalue_reference_v<Array>)
void as_mdspan(Array&&) = delete;
template <element T, std::size_t N>
void as_mdspan(const any_array&&) = delete;

}  // namespace ndkeep
