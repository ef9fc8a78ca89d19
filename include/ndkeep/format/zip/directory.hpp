// SPDX-License-Identifier: BSD-3-Clause
// The directory of a zip archive: reading and checking it, and finding the data of a member.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {

/// All members of an archive, and the position of the directory.
struct zip_directory {
    std::vector<zip_entry> entries = {};
    std::uint64_t prefix = 0;  // bytes before the archive; already added to all offsets here
    std::uint64_t offset = 0;  // of the directory, from the start of the file
    std::string comment = {};
};

/// The name of a member in errors: "member 'x'".
[[nodiscard]] std::string member_field(std::string_view name);

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads the central directory, the only authority on what an archive holds. Members are not read.
///
/// @param size  bytes of the whole archive
/// @throws format_error  not a zip archive, cut short, an inconsistent directory, more than one possible directory, an
///                       archive in several files, or too many members
/// @see APPNOTE 4.3.12 to 4.3.16
[[nodiscard]] zip_directory read_zip_directory(const byte_source& archive, std::uint64_t size, const limits& limit);

/// Checks that a member can be read and that its sizes are possible.
/// @throws format_error  an encrypted member, a patch, an unsupported method (named), or impossible sizes
/// @see APPNOTE 4.4.4 and 4.4.5
void check_zip_method(const zip_entry& entry, const std::filesystem::path& file);

/// The offset of a member's data. Reads the local header, whose name must be that of the directory.
///
/// @throws format_error  no local header, another name in it, or members that overlap
/// @see APPNOTE 4.3.7
[[nodiscard]] std::uint64_t zip_data_offset(const byte_source& archive, const zip_entry& entry);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/directory.ipp>
#endif
