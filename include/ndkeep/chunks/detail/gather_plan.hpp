// SPDX-License-Identifier: BSD-3-Clause
// Plan for mapping ranges of many files contiguously: a pure function of numbers, so that any page size can be tested.
#pragma once

#include <ndkeep/version.hpp>

#include <cstdint>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A range of bytes of a file; without a file, so many zeros.
struct gathered_range {
    bool has_file = false;
    std::uint64_t file_offset = 0;
    std::uint64_t length = 0;
};

/// How one range gets into memory: its head is read, and it is mapped from its first page boundary on.
struct gathered_plan {
    std::uint64_t at = 0;      // offset in the address range
    std::uint64_t read = 0;    // bytes from `at` on that are read
    std::uint64_t mapped = 0;  // bytes after those that are mapped; the last page may be shared with the next range
};

/// Bytes of the address range before the first range. Chunks with a header of 4096 bytes then have equal offsets in the
/// file and in memory modulo any page size, if all chunks are multiples of a page.
inline constexpr std::uint64_t gathered_begin = 4096;

/// Plans where each range lies and which part of it is mapped.
///
/// A range can be mapped if its offsets in the file and in memory are equal modulo the page size. The page where two
/// ranges meet belongs to the mapping of the first one; the head of the second one is read into it.
/// @param page      bytes of a page
/// @param worth_it  ranges with fewer bytes are read, not mapped
[[nodiscard]] std::vector<gathered_plan> plan_gathering(const std::vector<gathered_range>& ranges, std::uint64_t page,
                                                        std::uint64_t worth_it);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/gather_plan.ipp>
#endif
