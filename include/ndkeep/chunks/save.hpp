// SPDX-License-Identifier: BSD-3-Clause
// Saving a chunked array in one commit, and its maintenance: metadata, compacting, pruning, recovery.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/location.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of `save_chunked`.
struct save_chunked_options {
    chunk_size rows_per_chunk = {};   ///< a count, chunk_bytes(…) or chunk_period(…); by default 16 MiB
    checksum sum = checksum::crc32c;  ///< of each chunk
    json meta = nullptr;              ///< an object; null retains existing metadata
    order_fields order_by = {};       ///< a field, two of them, or "" for the 1-d array itself
    bool replace_type = false;        ///< an existing dataset may get another dtype or row shape
    commit_rules commit = {};
    run_options run = {};
};

/// Options of `describe_chunked`.
struct describe_chunked_options {
    json meta = nullptr;  ///< null retains existing metadata
    commit_rules commit = {};
    run_options run = {};
};

/// Options of `compact_chunked`.
struct compact_options {
    chunk_size rows_per_chunk = {};  ///< of merged chunks: a count, or chunk_bytes(…)
    commit_rules commit = {};
    run_options run = {};
};

/// Options of `prune_chunked`.
struct prune_options {
    std::uint64_t keep = 1;  ///< newest commits to retain, at least 1
};

/// Saves an array as a chunked array, in one commit, and replaces the rows of an existing one. Chunks are ranges of
/// rows along the first axis.
///
/// Readers see either the old or the new rows.
/// @throws mismatch_error  the dataset has another dtype or row shape, and `.replace_type` is not set; or keys are not
///                         in order
/// @throws io_error        disk full or no permission; the existing rows are untouched
/// @throws conflict_error  other writers prevented the commit; the existing rows are untouched
void save_chunked(const dataset_location& where, const array_view& array, const save_chunked_options& options = {});

/// Replaces the metadata of a chunked array, in one commit that changes no row.
/// @throws io_error        the dataset has no commit
/// @throws mismatch_error  `.meta` is neither an object nor null
void describe_chunked(const dataset_location& where, const describe_chunked_options& options);

/// Merges small chunks, in one commit that changes no row. Chunks of zeros stay without files.
/// @throws io_error                      the dataset has no commit
/// @throws format_error, checksum_error  a chunk to merge is damaged; nothing is committed
void compact_chunked(const dataset_location& where, const compact_options& options = {});

/// Removes old commits, and the files that only they use. A commit that a reader has open is retained, and so are all
/// newer ones. In a bucket, which has no locks, the age decides instead: see `s3_options::keep_for`. If files of killed
/// writers are removed there, writers that are open get a `conflict_error` at their next commit.
/// @returns the number of commits removed
/// @throws mismatch_error  `.keep` is 0
/// @throws io_error        the dataset has no commit
std::size_t prune_chunked(const dataset_location& where, const prune_options& options = {});

/// The numbers of the damaged records at the end of the log, newest first: those that `recover_chunked` would skip.
/// @throws io_error  no intact commit is left
[[nodiscard]] std::vector<std::uint64_t> damaged_commits(const dataset_location& where);

/// Skips damaged records at the end of the log: commits the newest intact state again, above them. The changes of the
/// damaged commits are lost; a later sweep removes their files.
/// @returns the numbers of the commits that are skipped from now on; empty if none is damaged
std::vector<std::uint64_t> recover_chunked(const dataset_location& where);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/save.ipp>
#endif
