// SPDX-License-Identifier: BSD-3-Clause
// Recovering rows of an npy file: rows that its header does not count, and those of a file that is cut short.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `recover_rows`.
struct recover_options {
    bool sync = false;  ///< wait until the new file is on the disk
    limits limit = {};
    run_options run = {};
};

/// Returns how many rows `recover` would add: complete rows after the data. A column-major file counts columns.
/// @throws mismatch_error  a second array follows the first
/// @throws format_error    not an npy file, or less data than its header states
[[nodiscard]] std::size_t recoverable_rows(const std::filesystem::path& file, const limits& limit = {});

/// Extends the shape by the complete rows that follow the data and that the header does not count.
///
/// Some tools append rows before they update the header, and a kill between the two leaves such rows. ndkeep never
/// counts them unless you call this: they may belong to an append that was never completed.
/// @return rows added (columns in a column-major file)
/// @throws mismatch_error  a second array follows the first
/// @throws format_error    not an npy file, or less data than its header states
std::size_t recover(const std::filesystem::path& file, const limits& limit = {});

/// Returns how many rows of an npy file are complete, if its data is cut short; otherwise all rows that its header
/// counts. A column-major file counts columns, and a scalar has no rows.
/// @throws format_error  not an npy file
[[nodiscard]] std::size_t complete_rows(const std::filesystem::path& file, const limits& limit = {});

/// Writes the complete rows of a file to a new npy file, which is replaced atomically if it exists. `file` is not
/// changed, and its sidecar is not copied: checksums and statistics are those of more rows.
/// @return rows written (columns of a column-major file)
/// @throws format_error    not an npy file
/// @throws mismatch_error  a scalar
/// @throws conflict_error  both names lead to the same file
std::size_t recover_rows(const std::filesystem::path& file, const std::filesystem::path& to,
                         const recover_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/recover.ipp>
#endif
