// SPDX-License-Identifier: BSD-3-Clause
// Options of readers and writers of chunked arrays.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace ndkeep::inline NDKEEP_ABI {

/// Options of a `chunk_reader`, and of the functions that load, map or inspect a chunked array.
struct chunk_reader_options {
    std::optional<std::uint64_t> at_commit = std::nullopt;  ///< number of a retained commit; nullopt: the newest
    bool verify = false;                                    ///< check the checksum of mapped chunks too
    std::uint64_t max_bytes = std::uint64_t{1} << 36;  ///< limit of one array in memory, 64 GiB: zeros need no file
    run_options run = {};
};

/// Retains all commits: a value for `commit_rules::keep`.
inline constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

/// How a commit is made.
struct commit_rules {
    bool sync = true;          ///< sync to disk: after `commit` returns, the commit survives a power cut
    std::uint64_t keep = 100;  ///< newest commits to retain; older ones are pruned from time to time. `everything`: all
};

/// Options of a `chunk_writer`.
struct chunk_writer_options {
    chunk_size rows_per_chunk = {};                      ///< a count, or chunk_bytes(…)
    checksum sum = checksum::crc32c;                     ///< of each chunk; an existing dataset retains its kind
    std::optional<std::string> order_by = std::nullopt;  ///< a field, or "" for the 1-d array; set at first commit
    commit_rules commit = {};
    run_options run = {};
};

}  // namespace ndkeep
