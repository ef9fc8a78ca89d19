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

zip_directory read_zip_directory(const byte_source& archive, std::uint64_t size, const limits& limit);

void check_zip_method(const zip_entry& entry, const std::filesystem::path& file);

std::uint64_t zip_data_offset(const byte_source& archive, const zip_entry& entry);

/// Sets the name of an entry from its bytes in the archive and its flags. False if it is not UTF-8 despite its flag.
[[nodiscard]] bool name_zip_entry(zip_entry& entry);

/// Replaces the numbers of an entry that are all ones by those of the 64-bit extra field. False if one is missing.
[[nodiscard]] bool read_zip_extra64(std::span<const std::byte> content, zip_entry& entry);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/directory.ipp>
#endif
