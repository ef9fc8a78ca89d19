// SPDX-License-Identifier: BSD-3-Clause
// What writers ask of an array: its header fields, and its elements block by block.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <functional>
#include <span>

namespace ndkeep::inline NDKEEP_ABI::core {

/// The dtype, shape and order that the header of an npy file of this array states. All other members are defaults.
[[nodiscard]] array_info info_of(const array_view& array);

/// Passes all elements to `use` in their written order, block by block. Contiguous elements are passed in place. All
/// others are first written to a buffer of one block.
///
/// @param block  bytes of a block, rounded down to complete elements, but at least one
/// @param use    takes the bytes and the number of elements; called once, without bytes, if the array has none
void for_each_block(const array_view& array, std::size_t block,
                    const std::function<void(std::span<const std::byte>, std::size_t count)>& use);

}  // namespace ndkeep::core

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/blocks.ipp>
#endif
