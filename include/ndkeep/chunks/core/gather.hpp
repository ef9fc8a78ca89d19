// SPDX-License-Identifier: BSD-3-Clause
// Mapping of all chunks of a version as one contiguous address range.
#pragma once

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The largest number of mappings that this process may have, and how many it has now.
struct mapping_budget {
    std::uint64_t most = 0, used = 0;
};
/// Reads both from /proc; nullopt if absent, as on systems other than Linux.
[[nodiscard]] std::optional<mapping_budget> mappings_of_process();

/// Rejects `wanted` more mappings than the budget allows. Without a budget, it checks nothing.
/// @throws io_error  the process would exceed its limit of mappings
void check_mappings(std::uint64_t wanted, const std::optional<mapping_budget>& budget,
                    const std::filesystem::path& called);

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

/// Maps the rows of all chunks contiguously, read-only.
///
/// Pages are mapped from the chunk files. Three kinds of bytes are read into memory instead: the page in which two
/// chunks meet, chunks that are too small or wrongly aligned for a mapping, and chunks of a place without files. With
/// `.verify`, every checksum is checked.
/// @throws io_error        the process would exceed its limit of mappings; nothing is mapped then
/// @throws format_error    a chunk file is missing or has a wrong length
/// @throws conflict_error  a chunk file is missing because the commit was pruned
/// @throws checksum_error  a chunk that was read, or verified, has changed
[[nodiscard]] mapping gather(const chunk_version& from);

}  // namespace ndkeep::core

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/gather.ipp>
#endif
