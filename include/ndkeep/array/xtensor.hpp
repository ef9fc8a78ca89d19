// SPDX-License-Identifier: BSD-3-Clause
// The headers of xtensor, flat up to 0.25 and in folders from 0.26 (only this file names them), and array_of.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/version.hpp>

#if __has_include(<xtensor/core/xtensor_config.hpp>)
#include <xtensor/core/xtensor_config.hpp>
#else
#include <xtensor/xtensor_config.hpp>
#endif

// Versions that fail inside xtensor's headers. Apple counts its compilers differently.
#if defined(__clang__) && !defined(__apple_build_version__)
#if XTENSOR_VERSION_MAJOR == 0 && XTENSOR_VERSION_MINOR >= 27 && __clang_major__ < 17
#error "xtensor 0.27 and later need clang 17 or later: use a newer clang, GCC, or xtensor 0.26"
#elif XTENSOR_VERSION_MAJOR == 0 && XTENSOR_VERSION_MINOR < 26 && __clang_major__ >= 19
#error "clang 19 and later need xtensor 0.26 or later: use a newer xtensor, GCC, or clang 18"
#endif
#endif

#if __has_include(<xtensor/containers/xarray.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xnoalias.hpp>
#include <xtensor/generators/xgenerator.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xgenerator.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>
#endif

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// Stands for a rank that is known only at run time.
inline constexpr std::size_t any_rank = std::numeric_limits<std::size_t>::max();

namespace detail {

/// xtensor's name of an order.
[[nodiscard]] constexpr xt::layout_type layout_of(order elements) noexcept {
    return elements == order::column_major ? xt::layout_type::column_major : xt::layout_type::row_major;
}

template <class T, std::size_t N, xt::layout_type L>
struct array_of_rank {
    using type = xt::xtensor<T, N, L>;
};
template <class T, xt::layout_type L>
struct array_of_rank<T, any_rank, L> {
    using type = xt::xarray<T, L>;
};

/// What xtensor wants to know about a container of T with rank N whose elements are in memory that it does not
/// allocate.
template <class T, std::size_t N, xt::layout_type L>
struct container_types {
    using storage_type = xt::xbuffer_adaptor<T*, xt::no_ownership, std::allocator<std::remove_const_t<T>>>;
    using reference = T&;
    using const_reference = const T&;
    using size_type = std::size_t;
    using temporary_type = typename array_of_rank<std::remove_const_t<T>, N, L>::type;
    using shape_type = typename temporary_type::shape_type;
    using strides_type = xt::get_strides_t<shape_type>;
    using backstrides_type = strides_type;
    using inner_shape_type = shape_type;
    using inner_strides_type = strides_type;
    using inner_backstrides_type = backstrides_type;
    static constexpr xt::layout_type layout = L;
};

/// Whether two shapes are equal, also if their integers have different types.
template <class Own, class Shape>
[[nodiscard]] bool equal_shapes(const Own& own, const Shape& shape) {
    return std::equal(std::begin(own), std::end(own), std::begin(shape), std::end(shape),
                      [](const auto& a, const auto& b) { return std::cmp_equal(a, b); });
}

/// Checks that an expression of this shape can be assigned to an array that keeps its own.
/// @throws mismatch_error  the shapes differ
template <class Own, class Shape>
void check_assigned_shape(const Own& own, const Shape& shape, const std::filesystem::path& file) {
    if (!equal_shapes(own, shape))
        throw mismatch_error(
            {.file = file, .field = "assigned shape", .expected = shape_text(own), .found = shape_text(shape)});
}

}  // namespace detail

/// The return type of `load<T>` and `load<T, N>`: an `xt::xarray`, or an `xt::xtensor` if the rank is given.
template <class T, std::size_t N = any_rank, xt::layout_type L = xt::layout_type::row_major>
using array_of = typename detail::array_of_rank<std::remove_const_t<T>, N, L>::type;

}  // namespace ndkeep
