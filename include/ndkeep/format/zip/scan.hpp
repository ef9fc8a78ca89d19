// SPDX-License-Identifier: BSD-3-Clause
// The members of a zip archive without a directory: found by their local headers, and checked against their CRC-32.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <optional>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// What a search finds.
struct found_zip_members {
    zip_directory directory = {};
    bool may_lack_members = false;  ///< some members were not checked, because the search would take too long
};

/// Finds all complete members: their local header states sizes, or a data descriptor follows the data, and the bytes
/// match the CRC-32. Only stored and deflated members can be checked, so others are not found.
///
/// The time is proportional to the size of the archive, and the memory does not depend on it. In an archive made to be
/// slow to search, and in one with many damaged members whose sizes follow their data, some members are not checked.
/// @param size  bytes of the archive
/// @throws format_error  more members than the limit
/// @throws io_error      the archive cannot be read, or the call is stopped
[[nodiscard]] found_zip_members find_zip_members(const byte_source& archive, std::uint64_t size, const limits& limit,
                                                 progress_meter& meter);

/// Finds the last archive in a file that other bytes follow, as after a killed write behind it. Returns where it ends;
/// nullopt if there is none. It must start with the first byte of the file: an archive that is a member does not.
/// @param size  bytes of the file
/// @throws format_error  too many bytes that look like an end record
[[nodiscard]] std::optional<std::uint64_t> last_zip_end(const byte_source& archive, std::uint64_t size,
                                                        const limits& limit, progress_meter& meter);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/scan.ipp>
#endif
