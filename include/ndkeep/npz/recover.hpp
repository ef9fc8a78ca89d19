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
    bool sync = false;  ///< wait until the result is on the disk
    limits limit = {};
    run_options run = {};
};

/// The complete members of a damaged archive.
struct npz_remains {
    std::vector<npz_member> members = {};  ///< in the order of the file
    bool may_lack_members = false;         ///< there was too much damage to check every member
};

/// What `recover_npz` has written.
struct npz_recovery {
    std::size_t members = 0;        ///< number of members in the new archive
    bool may_lack_members = false;  ///< as in `npz_remains`
};

/// Lists the complete members of a damaged archive in the order of the file. The directory at the end is not used, so
/// that it may be missing, as after an interrupted download.
///
/// A member counts if its local header states its sizes, or a data descriptor follows it, and its bytes match the
/// CRC-32. Members that are encrypted, or compressed by another method than deflate, cannot be checked and do not
/// count. Reads the complete file. A damaged member that is itself an archive may contribute members of its own.
///
/// The time is proportional to the size of the file. If it has so much damage that it would take longer, some members
/// are not checked, and the result says so.
/// @throws io_error      the file cannot be read
/// @throws format_error  more members than the limit
[[nodiscard]] npz_remains recoverable_members(const std::filesystem::path& file,
                                              const npz_recover_options& options = {});

/// Writes all recoverable members to a new archive, and copies their compressed bytes unchanged. `file` is not changed.
/// `to` is replaced atomically if it exists, also if no member is recoverable.
/// @throws io_error, format_error  as `recoverable_members`, and disk full
/// @throws conflict_error          both names lead to the same file, or another program changes `file` during the call
npz_recovery recover_npz(const std::filesystem::path& file, const std::filesystem::path& to,
                         const npz_recover_options& options = {});

/// Finds the bytes behind the last complete archive in a file, which a killed `.in_place` writer leaves. Returns their
/// number; 0 if the file ends with its archive. Reads the file backwards to the end of that archive.
/// @throws io_error      the file cannot be read
/// @throws format_error  no complete archive begins with the first byte of the file
[[nodiscard]] std::uint64_t bytes_behind_npz(const std::filesystem::path& file,
                                             const npz_recover_options& options = {});

/// Cuts these bytes off, so that the archive can be opened again as it was before that writer. Waits for a writer that
/// is still running. Returns the number of bytes cut off.
/// @throws io_error, format_error  as `bytes_behind_npz`; the file cannot be written
std::uint64_t restore_npz(const std::filesystem::path& file, const npz_recover_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/recover.ipp>
#endif
