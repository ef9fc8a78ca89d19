// SPDX-License-Identifier: BSD-3-Clause
// A long list of chunks as an npy file: one structured element a chunk, which NumPy reads as it is.
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

inline constexpr std::uint64_t longest_table = std::uint64_t{4} << 30;

/// Whether a file may be called so: hexadecimal words with dashes between them, and no way out of the directory.
[[nodiscard]] bool is_chunk_name(std::string_view name);

/// The word in the names of a writer's files: 32 random bits, and 32 bits that follow from them and the dataset.
[[nodiscard]] std::string writer_word(std::uint64_t random, std::string_view dataset);

/// Whether a writer of this dataset has put the file, or was about to: only such files are ever swept.
/// ROW-WRITER-COUNT, or a temporary name of that.
[[nodiscard]] bool is_staged_name(std::string_view name, std::string_view dataset);

/// What every entry must be, wherever it is from.
void check_entry(const chunk_entry& entry, const chunk_state& state, const std::filesystem::path& file);

[[nodiscard]] std::string table_bytes(const std::vector<chunk_entry>& entries, const chunk_state& state);

/// @throws checksum_error, format_error  not the table that was written
[[nodiscard]] chunk_table parse_table(std::span<const std::byte> bytes, std::string file, const std::string& sum,
                                      const chunk_state& state, const std::filesystem::path& called);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/table.ipp>
#endif
