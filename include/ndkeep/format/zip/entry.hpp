// SPDX-License-Identifier: BSD-3-Clause
// One entry of the directory of a zip archive: reading and checking it.
#pragma once

#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Sets the name of an entry from its bytes in the archive and its flags. False if it is not UTF-8 despite its flag.
[[nodiscard]] bool name_zip_entry(zip_entry& entry);

/// Replaces the numbers of an entry that are all ones by those of the 64-bit extra field, which has them in this order:
/// size, compressed size, offset. False if one is missing.
/// @see APPNOTE 4.5.3
[[nodiscard]] bool read_zip_extra64(std::span<const std::byte> content, zip_entry& entry);

/// Reads the first entry of `rest` and removes it.
/// @throws format_error  an entry that is cut short, another signature, or a name that is not UTF-8 despite its flag
/// @see APPNOTE 4.3.12, for the offsets of the fields
[[nodiscard]] zip_entry read_zip_entry(std::span<const std::byte>& rest, std::uint64_t prefix,
                                       const std::filesystem::path& file);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/entry.ipp>
#endif
