// SPDX-License-Identifier: BSD-3-Clause
// What a chunked array consists of, and whether all of it is as it was written.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// A chunked array, as its newest record describes it.
struct chunked_info {
    dtype type;
    std::vector<std::size_t> shape;  ///< of all rows
    std::uint64_t commit = 0;        ///< number of the newest
    std::uint64_t commits = 0;       ///< how many are kept
    std::optional<std::string> order_by;
    checksum sum = checksum::none;
    std::vector<chunk_entry> chunks;
    json metadata;
};

/// Reads the newest record and its tables, and no chunk.
/// @throws io_error, format_error, checksum_error
[[nodiscard]] chunked_info inspect_chunked(const std::filesystem::path& path, const chunk_reader_options& options = {});

/// Everything wrong with a version: its record, and for every chunk its file, header, length, sum, smallest and largest
/// number. Reads all of it. Empty means all is well.
[[nodiscard]] std::vector<finding> findings_chunked(const std::filesystem::path& path,
                                                    const chunk_reader_options& options = {});

/// Checks the same and throws the first thing wrong.
/// @throws io_error, format_error, checksum_error
void verify_chunked(const std::filesystem::path& path, const chunk_reader_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/verify.ipp>
#endif
