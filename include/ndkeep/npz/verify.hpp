// SPDX-License-Identifier: BSD-3-Clause
// What an npz archive holds, and whether all of it is as it was written.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/describe.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// One member, as its headers describe it.
struct npz_member {
    std::string name;                 ///< without ".npy"
    std::string stored_name;          ///< as it is in the archive
    std::optional<array_info> array;  ///< if it is one; its data_offset counts from the start of the member
    std::uint64_t nbytes = 0;         ///< of the member, the header of an array included
    std::uint64_t compressed_nbytes = 0;
    std::uint32_t crc32 = 0;     ///< of the member's bytes, as the directory has it
    std::uint64_t offset = 0;    ///< of the array's data, or of compressed bytes, in the archive
    std::uint64_t trailing = 0;  ///< bytes behind the array's data
    std::string method;          ///< "stored", "deflate", or what cannot be read here
    bool mappable = false;       ///< `npz_reader::map` gives it without a copy
    bool shadowed = false;       ///< a later member has its name, and is the one that is found
    std::string problem;         ///< why it cannot be read, as far as headers tell
};

/// Lists the members in the order of the directory. Reads headers only; of compressed arrays the first few bytes.
/// @throws io_error, format_error  no file; no zip archive, or one whose directory lies
[[nodiscard]] std::vector<npz_member> inspect_npz(const std::filesystem::path& file, const limits& limit = {});

/// Everything wrong with an archive: every member's place, method, bytes and CRC-32, the headers of arrays, and the
/// sums in the metadata. Reads all of it. Empty means all is well.
[[nodiscard]] std::vector<finding> findings_npz(const std::filesystem::path& file, const verify_options& options = {});

/// Checks the same and throws the first thing wrong.
/// @throws io_error, format_error, checksum_error
void verify_npz(const std::filesystem::path& file, const verify_options& options = {});

namespace core {

/// Bytes to which mapped elements of a type must be aligned, at most.
[[nodiscard]] std::size_t element_alignment(const dtype& type);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/verify.ipp>
#endif
