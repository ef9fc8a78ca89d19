// SPDX-License-Identifier: BSD-3-Clause
// Whole chunked arrays: written in one commit, compacted, pruned, recovered.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

struct save_chunked_options {
    chunk_size rows_per_chunk = {};  ///< a count, or chunk_bytes(…); otherwise as many as 16 MiB hold
    checksum sum = checksum::crc32c;
    json meta = nullptr;                                 ///< an object; null keeps what is there
    std::optional<std::string> order_by = std::nullopt;  ///< a field, or "" for the 1-d array itself
    bool replace_type = false;                           ///< a dataset that is there may get another dtype or row shape
    commit_rules commit = {};
    run_options run = {};
};

struct describe_chunked_options {
    json meta = nullptr;  ///< null keeps what is there
    commit_rules commit = {};
    run_options run = {};
};

struct compact_options {
    chunk_size rows_per_chunk = {};
    commit_rules commit = {};
    run_options run = {};
};

struct prune_options {
    std::uint64_t keep = 1;  ///< newest commits that stay
};

/// Writes an array as a chunked one, in one commit: chunks of rows along its first axis. Over a dataset that is there
/// it replaces all rows; readers have the old ones or the new ones.
/// @throws mismatch_error  the dataset has another dtype or row shape, and `.replace_type` is not set; keys out of
/// order
/// @throws io_error        disk full, no permission: what was there is there still
void save_chunked(const std::filesystem::path& path, const array_view& array, const save_chunked_options& options = {});

/// Gives a chunked array other metadata, in one commit that changes no row.
/// @throws io_error        nothing is committed there
/// @throws mismatch_error  `.meta` is neither an object nor null
void describe_chunked(const std::filesystem::path& path, const describe_chunked_options& options);

/// Puts small chunks together, in one commit that changes no row. Chunks of zeros stay without files.
void compact_chunked(const std::filesystem::path& path, const compact_options& options = {});

/// Removes old commits and the files that only they use. What somebody reads stays, and so do all newer ones.
/// @returns commits removed
std::size_t prune_chunked(const std::filesystem::path& path, const prune_options& options = {});

/// The damaged records at the end of the log, newest first: what `recover_chunked` would step over.
/// @throws io_error  no commit can be read
[[nodiscard]] std::vector<std::uint64_t> damaged_commits(const std::filesystem::path& path);

/// Steps over damaged records at the end of the log, by a new commit of the newest state that can be read. Whatever the
/// damaged commits had added is given up; their files are swept later.
/// @returns the numbers of the commits that are passed over from now on; none where nothing is damaged
std::vector<std::uint64_t> recover_chunked(const std::filesystem::path& path);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/save.ipp>
#endif
