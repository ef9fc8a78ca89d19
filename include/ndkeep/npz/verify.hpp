// SPDX-License-Identifier: BSD-3-Clause
// Listing the members of an npz archive, and verifying them.
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

/// A member of an npz archive, as its headers describe it.
struct npz_member {
    std::string name;                     ///< without ".npy"
    std::string stored_name;              ///< as in the archive
    std::optional<array_info> array;      ///< if it is an array; data_offset counts from the start of the member
    std::uint64_t nbytes = 0;             ///< of the member, including the header of an array
    std::uint64_t compressed_nbytes = 0;  ///< of the member as it is stored in the archive
    std::uint32_t crc32 = 0;              ///< of the member's bytes, as in the directory
    std::uint64_t offset = 0;             ///< in the archive: of the array's data, or of the compressed bytes
    std::uint64_t trailing = 0;           ///< bytes after the array's data
    std::string method;                   ///< "stored", "deflate", or the name of one that is not supported
    bool mappable = false;                ///< `npz_reader::map` can map it
    bool shadowed = false;                ///< a later member has the same name and is found instead
    std::string problem;                  ///< why it cannot be read, as far as headers show
    /// What the header of an array states whose dtype is not supported, such as a pickled one.
    std::optional<core::header_facts> unsupported = {};
};

/// Lists the members of an archive in the order of its directory. Reads only headers, and the first few bytes of
/// compressed arrays.
/// @throws io_error, format_error  no file; not a zip archive, or one with a false directory
[[nodiscard]] std::vector<npz_member> inspect_npz(const std::filesystem::path& file, const limits& limit = {});

/// Returns every problem found in an archive, none if it is sound: every member's place, method, bytes and CRC-32, the
/// headers of arrays, and the sums in the metadata. Reads the complete archive.
[[nodiscard]] std::vector<finding> findings_npz(const std::filesystem::path& file, const verify_options& options = {});

/// Checks the same as `findings_npz` and throws the first problem.
/// @throws io_error, format_error, checksum_error
void verify_npz(const std::filesystem::path& file, const verify_options& options = {});

namespace core {

/// The largest alignment, in bytes, that mapped elements of a dtype can need.
[[nodiscard]] std::size_t element_alignment(const dtype& type);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/verify.ipp>
#endif
