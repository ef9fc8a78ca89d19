// SPDX-License-Identifier: BSD-3-Clause
// Ranges of many files side by side in one address range: the plan, as a pure function of numbers.
#pragma once

#include <ndkeep/version.hpp>

#include <cstdint>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Bytes of a file that are to lie at an offset of the whole. Without a file they are zeros.
struct gathered_range {
    bool has_file = false;
    std::uint64_t file_offset = 0;
    std::uint64_t length = 0;
};

/// What is done for one range: from its first whole page on it is mapped, what is before is read into memory.
struct gathered_plan {
    std::uint64_t at = 0;      // in the address range
    std::uint64_t read = 0;    // bytes from `at` that are read
    std::uint64_t mapped = 0;  // bytes behind them that are mapped, the last page whole
};

/// Ranges begin this far into the address range, so that files whose headers are so long fit at any page size.
inline constexpr std::uint64_t gathered_begin = 4096;

/// A range can be mapped where its place in the file and in memory agree modulo the page. The page where two ranges
/// meet belongs to the first one's mapping, and the head of the second is read into it.
/// @param worth_it  bytes below which a range is read and not mapped
[[nodiscard]] std::vector<gathered_plan> plan_gathering(const std::vector<gathered_range>& ranges, std::uint64_t page,
                                                        std::uint64_t worth_it);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/gather_plan.ipp>
#endif
