// SPDX-License-Identifier: BSD-3-Clause
// Recovering the complete members of an npz archive that was cut short or has lost its directory.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npz/verify.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <filesystem>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `recover_npz` and `recoverable_members`.
struct npz_recover_options {
    bool sync = false;  ///< wait until the new archive is on the disk
    limits limit = {};
    run_options run = {};
};

/// Lists the complete members of a damaged archive in the order of the file. The directory at the end is not used, so
/// that it may be missing, as after an interrupted download.
///
/// A member counts if its local header states its sizes, or a data descriptor follows it, and its bytes match the
/// CRC-32. Members that are encrypted, or compressed by another method than deflate, cannot be checked and do not
/// count. Reads the complete file. A damaged member that is itself an archive may contribute members of its own.
/// @throws io_error      the file cannot be read
/// @throws format_error  more members than the limit
[[nodiscard]] std::vector<npz_member> recoverable_members(const std::filesystem::path& file,
                                                          const npz_recover_options& options = {});

/// Writes all recoverable members to a new archive, and copies their compressed bytes unchanged. `file` is not changed.
/// `to` is replaced atomically if it exists, also if no member is recoverable.
/// @return the number of members
/// @throws io_error, format_error  as `recoverable_members`, and disk full
/// @throws conflict_error          both names lead to the same file
std::size_t recover_npz(const std::filesystem::path& file, const std::filesystem::path& to,
                        const npz_recover_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/recover.ipp>
#endif
