// SPDX-License-Identifier: BSD-3-Clause
// The names of a chunked array on disk: its folders, records, chunks and tables, and the numbers that are locked.
//
//     commits/00000000000000000017.json            record 17
//     commits/00000000000000000000.json            the drawn id, before the first commit
//     chunks/000000120000-5f3a91c4d2e07b16-3.npy   a chunk or a table; .npz for the states of a loop
//     lock                                         its bytes are locked; it stays empty
#pragma once

#include <ndkeep/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The two folders, as `place::list` takes them.
inline constexpr const char* commits_folder = "commits";
inline constexpr const char* chunks_folder = "chunks";
inline constexpr std::array<const char*, 2> folder_names = {commits_folder, chunks_folder};

/// The file that is locked.
inline constexpr const char* lock_name = "lock";

// Bytes of the lock file: a shared lock on byte n means that commit n is being read. Byte 2^62 is shared by all open
// writers. It is above every commit number in use, and the largest byte that can be locked is 2^63 - 1.
inline constexpr std::uint64_t lock_writing = std::uint64_t{1} << 62;

/// The file name of a record: 20 decimal digits and ".json".
[[nodiscard]] std::string record_name(std::uint64_t number);

/// The number in a record's name; nullopt for any other name. Numbers begin at 1.
[[nodiscard]] std::optional<std::uint64_t> record_number(std::string_view name);

/// The path of a file in the folder of commits, or of chunks, within the dataset.
[[nodiscard]] std::string commit_path(std::string_view name);
[[nodiscard]] std::string chunk_path(std::string_view name);

/// The path of a record within the dataset.
[[nodiscard]] std::string record_path(std::uint64_t number);

/// The path of the file with the number 0, which exists until the first commit. It holds the id of the future dataset.
/// By this id, the next writer recognises the files that a writer has left that was killed before its first commit.
[[nodiscard]] std::string drawn_id_path();

/// The longest name in the folder of chunks, which fixes the width of the column `file` in tables. A usual name needs
/// 12 + 1 + 16 + 1 + 4 characters and a counter.
inline constexpr std::size_t longest_chunk_name = 48;

/// Whether records and tables may contain this file name: hexadecimal words with dashes between them, and the ending
/// .npy or .npz, in at most 48 bytes. Such a name cannot lead out of the folder.
[[nodiscard]] bool is_chunk_name(std::string_view name);

/// The second word in the names of a writer's files, as 16 hexadecimal digits: 32 random bits, and 32 bits of a hash of
/// these and the dataset's id. The hash tells files of this dataset from others that were copied into the folder.
[[nodiscard]] std::string writer_word(std::uint64_t random, std::string_view dataset);

/// ROW-WRITER-COUNT and an ending: the name of a file that a writer stages. ROW is the first row in at least 12 decimal
/// digits, for people who look at the directory; nothing reads it back. WRITER is `writer_word`, COUNT is decimal.
[[nodiscard]] std::string staged_name(std::uint64_t row, std::string_view writer, std::uint64_t count,
                                      std::string_view ending);

/// Whether a writer of this dataset made this name: a `staged_name`, or a temporary name of such a file. Only files
/// with such names are ever swept.
[[nodiscard]] bool is_staged_name(std::string_view name, std::string_view dataset);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/layout.ipp>
#endif
