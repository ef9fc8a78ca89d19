// SPDX-License-Identifier: BSD-3-Clause
// Tables: long lists of chunk entries as npy files, with one structured element for each chunk, readable by NumPy.
//
// The names of the files in `chunks` are defined here too.
#pragma once

#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Bytes of a table; longer ones are rejected before memory is allocated.
inline constexpr std::uint64_t longest_table = std::uint64_t{4} << 30;

/// Whether records and tables may contain this file name: hexadecimal words with dashes between them, and the ending
/// .npy or .npz, in at most 48 bytes. Such a name cannot lead out of the folder.
[[nodiscard]] bool is_chunk_name(std::string_view name);

/// The second word in the names of a writer's files, as 16 hexadecimal digits: 32 random bits, and 32 bits of a hash of
/// these and the dataset's id. The hash tells files of this dataset from others that were copied into the folder.
[[nodiscard]] std::string writer_word(std::uint64_t random, std::string_view dataset);

/// Whether a writer of this dataset made this name: ROW-WRITER-COUNT, or a temporary name of such a file. Only files
/// with such names are ever swept.
[[nodiscard]] bool is_staged_name(std::string_view name, std::string_view dataset);

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
#include <ndkeep/store/table.ipp>
#endif
