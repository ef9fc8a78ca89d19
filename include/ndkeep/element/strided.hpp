// SPDX-License-Identifier: BSD-3-Clause
// Shapes and strides, and copies of elements of any size between memory layouts.
#pragma once

#include <ndkeep/format/order.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {

// Functions take these vectors, not spans: to compile a conversion to std::span takes as long as a small header.
using shape_type = std::vector<std::size_t>;       ///< elements along each axis
using strides_type = std::vector<std::ptrdiff_t>;  ///< bytes from one element to the next along each axis

/// The number of elements of a shape; 1 for {}. Overflow is not checked: see `fits`.
[[nodiscard]] std::size_t product(const shape_type& shape) noexcept;

/// The strides of a contiguous array of this shape.
/// @param item  bytes of an element
[[nodiscard]] strides_type strides_of(const shape_type& shape, std::size_t item, order wanted);

/// Copies all elements between two layouts of the same shape. If the layouts differ, it copies in tiles that stay in
/// the cache. The memory must not overlap.
/// @param item  bytes of an element
void copy_strided(std::byte* to, const strides_type& to_strides, const std::byte* from,
                  const strides_type& from_strides, const shape_type& shape, std::size_t item);

/// Copies `count` elements to contiguous memory, from element number `first` in row-major order.
/// @param from  element number 0
/// @param item  bytes of an element
void gather(std::byte* to, std::size_t first, std::size_t count, const std::byte* from, const strides_type& strides,
            const shape_type& shape, std::size_t item);

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The shape of an array with so many rows.
[[nodiscard]] shape_type shape_of_rows(std::uint64_t rows, const shape_type& row_shape);

/// Whether the elements are contiguous in this order. Strides of axes with one element do not matter; an empty array is
/// always contiguous.
[[nodiscard]] bool is_contiguous(const shape_type& shape, const strides_type& strides, std::size_t item,
                                 order wanted) noexcept;

/// Copies `count` elements of `item` bytes each. A step is the distance in bytes from one element to the next.
void copy_run(std::byte* to, std::ptrdiff_t to_step, const std::byte* from, std::ptrdiff_t from_step, std::size_t count,
              std::size_t item) noexcept;

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/element/strided.ipp>
#endif
