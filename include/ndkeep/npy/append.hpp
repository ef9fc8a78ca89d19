// SPDX-License-Identifier: BSD-3-Clause
// An npy file grown in place, and one mended whose writer died growing it.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI {

struct append_options {
    bool sync = true;  ///< rows, then header, each on the disk before `append` goes on
    limits limit = {};
    run_options run = {};
};

/// Adds rows at the end of an npy file in place: along axis 0, or along the last axis of a column-major file.
///
/// Costs the rows, not the array. A kill at any instant leaves the old array or the new one; so does a power cut with
/// `.sync`. Concurrent appends are serialised, also through different hard links of one file. A file that is absent, or
/// only reserved, is saved. Where the header has no room for the longer shape (files of other programs,
/// mostly) the file is rewritten, atomically. A sidecar follows: crc32, crc32c and statistics are extended, md5 is
/// dropped, because it cannot be. Programs other than ndkeep that read the file at the very moment may see a torn
/// header; chunked arrays are for that.
/// @param rows  the dtype of the file in any byte order or packing; all other extents as in the file
/// @throws mismatch_error  another dtype or shape; a scalar; a second array behind the first
/// @throws io_error        disk full: the file has its former length again. If the header can neither be written nor
///                         restored, the error says that the outcome is unknown: the rows may have been added
void append(const std::filesystem::path& file, const array_view& rows, const append_options& options = {});

/// How many rows `recover` would gain (columns in a column-major file): whole rows behind the data.
/// @throws mismatch_error  a second array lies behind the first
/// @throws format_error    no npy file, or one with less data than its header says
[[nodiscard]] std::size_t recoverable_rows(const std::filesystem::path& file, const limits& limit = {});

/// Mends a file to which rows were added before its header said so, as tools do that append without care: counts the
/// whole rows behind the data into the shape. Only when asked: such rows may be part of what was never finished.
///
/// @return rows gained (columns in a column-major file)
/// @throws mismatch_error  a second array lies behind the first
/// @throws format_error    no npy file, or one with less data than its header says
std::size_t recover(const std::filesystem::path& file, const limits& limit = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/append.ipp>
#endif
