// SPDX-License-Identifier: BSD-3-Clause
// The member `metadata.json`: the user's object, with the checksums of arrays under the reserved key "ndkeep".
//
//     {"run": 7, "fill": "NaN",
//      "ndkeep": {"checksums": {"temps": {"md5": "5d41402abc4b2a76b9719d911017c592"}}, "nonfinite": ["/fill"]}}
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The content of `metadata.json`.
struct npz_metadata {
    json user = json(json::value_t::object);
    std::map<std::string, checksums> sums = {};  // by member name without ".npy"; of the array's data
};

/// Checks metadata that a user gives.
/// @throws mismatch_error  neither an object nor null, with the reserved key "ndkeep", or with too many values
void check_npz_metadata(const json& meta, const std::filesystem::path& file);

/// The text of `metadata.json`.
[[nodiscard]] std::string npz_metadata_text(const npz_metadata& said);

/// Checks the size of a JSON member before it is read: parsed JSON takes many times the memory of its text.
/// @throws format_error  longer than `limit.json_bytes`
void check_json_size(const zip_entry& entry, const std::filesystem::path& file, const limits& limit);

/// Reads `metadata.json`; empty if absent.
/// @throws format_error  not a JSON object, or beyond a limit
[[nodiscard]] npz_metadata read_npz_metadata(const archive& from, const limits& limit);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/metadata.ipp>
#endif
