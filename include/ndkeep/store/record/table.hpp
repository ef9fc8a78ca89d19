// SPDX-License-Identifier: BSD-3-Clause
// Tables: long lists of chunk entries as npy files, with one structured element for each chunk, readable by NumPy.
#pragma once

#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Bytes of a table; longer ones are rejected before memory is allocated.
inline constexpr std::uint64_t longest_table = std::uint64_t{4} << 30;

/// Checks an entry from a record or a table: its name, and its counts against the size of a row.
/// @param file  named in errors
/// @throws format_error  a value is malformed, contradicts another, or exceeds a limit
void check_entry(const chunk_entry& entry, const chunk_state& state, const std::filesystem::path& file);

/// The npy file of a table, header included. The columns depend on dtype, order and checksum of the state.
[[nodiscard]] std::string table_bytes(const std::vector<chunk_entry>& entries, const chunk_state& state);

/// Reads the npy file of a table.
///
/// @param sum     CRC-32C of the file in hexadecimal, from the record
/// @param called  display path of the file, for errors
/// @throws checksum_error  the bytes are not those that were written
/// @throws format_error    not a table of this state, or an entry is malformed
[[nodiscard]] chunk_table parse_table(std::span<const std::byte> bytes, std::string file, const std::string& sum,
                                      const chunk_state& state, const std::filesystem::path& called);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/record/table.ipp>
#endif
