// SPDX-License-Identifier: BSD-3-Clause
// An array on its way into a file: its header, and its elements block by block.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <functional>
#include <span>

namespace ndkeep::inline NDKEEP_ABI::core {

/// The header of an npy file of this array: dtype, shape and order.
[[nodiscard]] array_info info_of(const array_view& array);

/// Shows all elements to `use` in their written order: where they lie, or, block by block, as they are made. Calls it
/// once with no bytes where there are none.
/// @param block  bytes of a block, about
void for_each_block(const array_view& array, std::size_t block,
                    const std::function<void(std::span<const std::byte>, std::size_t count)>& use);

}  // namespace ndkeep::core

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/array/blocks.ipp>
#endif
