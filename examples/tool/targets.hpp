// SPDX-License-Identifier: BSD-3-Clause
// Files of every kind, written whole or not at all.
#pragma once

#include "array_file.hpp"
#include "tool.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tool {

enum class target_kind { npy, npz, chunked, raw, csv };
[[nodiscard]] std::string_view target_name(target_kind kind);
/// By its ending, or because it is there and a chunked array.
[[nodiscard]] std::optional<target_kind> kind_by_name(const std::filesystem::path& path);

/// What is to be written.
struct content {
    std::vector<std::string> names = {};                                    ///< one, but for an archive
    std::function<ndkeep::array_view(const std::string& name)> array = {};  ///< in its written order
    std::vector<std::string> documents = {};                                ///< members that are no arrays
    std::function<std::vector<std::byte>(const std::string& name)> document = {};
    kept_words words = {};
};

struct target {
    target_kind kind = target_kind::npy;
    std::filesystem::path path = {};
    bool compress = false;             ///< npz
    std::uint64_t rows_per_chunk = 0;  ///< chunked; 0: as many as 16 MiB hold
    ndkeep::run_options run = {};
};

/// Until it is all there, the name holds what it held before.
/// @throws ndkeep::error  nothing has changed then
void write_target(const target& to, const content& what);

/// Writes one array to a stream. An archive or a chunked array cannot be.
/// @param screen  csv: where it is a terminal, what that would obey is escaped
/// @returns bytes
std::uint64_t write_stream(std::ostream& out, const terminal& screen, target_kind kind, const content& what);

}  // namespace tool
