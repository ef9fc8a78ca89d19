// SPDX-License-Identifier: BSD-3-Clause
// The records of a zip archive: its directory read and checked, and the bytes of new ones.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {

/// All members of an archive, and where the parts lie that belong to none.
struct zip_directory {
    std::vector<zip_entry> entries = {};
    std::uint64_t prefix = 0;  // bytes before the archive, by which all of its offsets are off
    std::uint64_t offset = 0;  // of the directory, from the start of the file
    std::string comment = {};
};

/// What errors call a member: "member 'x'".
[[nodiscard]] std::string member_field(std::string_view name);

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

zip_directory read_zip_directory(const byte_source& archive, std::uint64_t size, const limits& limit);

void check_zip_method(const zip_entry& entry, const std::filesystem::path& file);

std::uint64_t zip_data_offset(const byte_source& archive, const zip_entry& entry);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/directory.ipp>
#endif
