// SPDX-License-Identifier: BSD-3-Clause
// Elements of any size moved between memory layouts.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {

// Passed as they are, not as spans: to make a span of a vector takes the compiler as long as a whole small header.
using shape_type = std::vector<std::size_t>;       ///< elements along each axis
using strides_type = std::vector<std::ptrdiff_t>;  ///< bytes from one element to the next along each axis

/// The number of elements of a shape; 1 of {}. The product must fit: see `fits`.
[[nodiscard]] std::size_t product(const shape_type& shape) noexcept;

/// Bytes between neighbours along each axis of a contiguous array of this shape.
/// @param item  bytes of an element
[[nodiscard]] strides_type strides_of(const shape_type& shape, std::size_t item, bool column_major);

/// Copies a whole array between two layouts of one shape, in tiles that stay in the cache when the layouts differ.
void copy_strided(std::byte* to, const strides_type& to_strides, const std::byte* from,
                  const strides_type& from_strides, const shape_type& shape, std::size_t item);

/// Copies `count` elements, from number `first` in row-major order on, into contiguous memory.
void gather(std::byte* to, std::size_t first, std::size_t count, const std::byte* from, const strides_type& strides,
            const shape_type& shape, std::size_t item);

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Whether elements lie one behind the other in this order; strides of axes with one element do not matter.
[[nodiscard]] bool is_contiguous(const shape_type& shape, const strides_type& strides, std::size_t item,
                                 bool column_major) noexcept;

/// Copies `count` elements of `item` bytes between two steps; sizes known to the compiler become plain moves.
void copy_run(std::byte* to, std::ptrdiff_t to_step, const std::byte* from, std::ptrdiff_t from_step, std::size_t count,
              std::size_t item) noexcept;

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/element/strided.ipp>
#endif
