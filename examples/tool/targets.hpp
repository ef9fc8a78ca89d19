// SPDX-License-Identifier: BSD-3-Clause
// Writes files of every kind. A target is written completely or not at all.
#pragma once

#include "array_file.hpp"
#include "csv.hpp"
#include "tool.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tool {

enum class target_kind { npy, npz, chunked, raw, csv };
[[nodiscard]] std::string_view target_name(target_kind kind);
/// The kind that the file name extension means, or `chunked` if the path is an existing chunked array or in a bucket.
[[nodiscard]] std::optional<target_kind> kind_by_name(const std::filesystem::path& path);

/// The arrays, documents and metadata to write.
struct content {
    std::vector<std::string> names = {};                                    ///< exactly one, except for an archive
    std::function<ndkeep::array_view(const std::string& name)> array = {};  ///< in the element order to write
    std::vector<std::string> documents = {};                                ///< members that are not arrays
    std::function<std::vector<std::byte>(const std::string& name)> document = {};
    /// Whether to compress an array or document in an archive; empty: none
    std::function<bool(const std::string& name)> is_compressed = {};
    kept_words words = {};
};

struct target {
    target_kind kind = target_kind::npy;
    std::filesystem::path path = {};
    std::uint64_t rows_per_chunk = 0;  ///< chunked only; 0: as many rows as fit in 16 MiB
    csv_options csv = {};              ///< csv only
    ndkeep::run_options run = {};
};

/// Writes the target. Its name keeps the former content until the new content is complete.
/// @throws ndkeep::error  the former content is unchanged
void write_target(const target& to, const content& what);

/// Writes one array to a stream, which cannot be an archive or a chunked array.
/// @param screen  csv only: control characters are escaped if it is a terminal
/// @returns number of bytes
std::uint64_t write_stream(std::ostream& out, const terminal& screen, target_kind kind, const content& what,
                           const csv_options& options = {});

}  // namespace tool
