// SPDX-License-Identifier: BSD-3-Clause
// The member `metadata.json`: the user's object, and beside it under one key what ndkeep keeps there itself.
//
//     {"run": 7, "ndkeep": {"checksums": {"temps": {"md5": "5d41402abc4b2a76b9719d911017c592"}}}}
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

/// What `metadata.json` holds.
struct npz_metadata {
    json user = json(json::value_t::object);
    std::map<std::string, checksums> sums = {};  // by member name without ".npy"; of the array's data
};

/// @throws mismatch_error  neither an object nor null, or a key that ndkeep needs itself
void check_npz_metadata(const json& meta, const std::filesystem::path& file);

[[nodiscard]] std::string npz_metadata_text(const npz_metadata& said);

/// JSON takes many times as much memory as text.
void check_json_size(const zip_entry& entry, const std::filesystem::path& file, const limits& limit);

[[nodiscard]] npz_metadata read_npz_metadata(const archive& from, const limits& limit);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/metadata.ipp>
#endif
