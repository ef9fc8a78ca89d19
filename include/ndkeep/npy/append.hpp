// SPDX-License-Identifier: BSD-3-Clause
// Appending rows to an npy file in place.
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

/// Options of `append`.
struct append_options {
    bool sync = true;  ///< wait for the disk after the rows, and again after the header
    limits limit = {};
    run_options run = {};
};

/// Adds rows at the end of an npy file in place: along axis 0, or along the last axis of a column-major file.
///
/// The cost depends on the rows, not on the array. A kill at any instant leaves the old array or the new one. With
/// `.sync`, so does a power cut. Concurrent appends are serialised, also through different hard links of one file.
///
/// A file that is absent, or reserved by `next_name`, is saved. If the header has no room for the longer shape, as in
/// many files of other programs, the file is rewritten and replaced atomically. The sidecar is updated: crc32, crc32c
/// and statistics are extended; md5 cannot be extended and is dropped. A reader other than ndkeep may see a torn header
/// if it reads while the header changes. Use chunked arrays for concurrent readers.
///
/// If the file is writable and its directory is not, the rows are added under the lock of the file alone. The owner of
/// the directory may then replace the file meanwhile, and the rows are lost with it. A sidecar cannot be updated there,
/// so a file with one is refused.
/// @param rows  the dtype of the file in any byte order or packing; all other extents as in the file
/// @throws mismatch_error  another dtype or shape; a scalar; a second array after the first
/// @throws io_error        disk full: the file has its former length again. If the header can neither be written nor
///                         restored, the error says that the outcome is unknown: the rows may have been added
void append(const std::filesystem::path& file, const array_view& rows, const append_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/append.ipp>
#endif
