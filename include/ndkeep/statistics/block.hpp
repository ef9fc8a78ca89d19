// SPDX-License-Identifier: BSD-3-Clause
// Statistics of one block of elements, whose C++ type is chosen by their dtype.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Elements of one block. It is small enough for the second pass to find it in the cache, and large enough for the cost
/// of merging blocks to be negligible.
inline constexpr std::size_t summary_block = 8192;

/// @param type      not a struct
/// @param elements  aligned, contiguous, in native byte order
/// @param count     at most `summary_block`
[[nodiscard]] statistics summary_of_block(const dtype& type, const std::byte* elements, std::size_t count);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/statistics/block.ipp>
#endif
