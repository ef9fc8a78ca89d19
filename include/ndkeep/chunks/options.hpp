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

struct chunk_reader_options {
    std::optional<std::uint64_t> at_commit = std::nullopt;  ///< an older version, while it is kept; nullopt: the newest
    bool verify = false;                                    ///< look at a chunk's checksum also where it is mapped
    std::uint64_t max_bytes = std::uint64_t{1} << 36;       ///< of one array in memory: rows of zeros take no file
    run_options run = {};
};

/// Keeps all commits, where a number of them is asked for.
inline constexpr std::uint64_t everything = std::numeric_limits<std::uint64_t>::max();

/// How a commit is made.
struct commit_rules {
    bool sync = true;          ///< survive a power cut once `commit` has returned
    std::uint64_t keep = 100;  ///< commits that stay readable; older ones are pruned now and then. `everything`: all
};

struct chunk_writer_options {
    chunk_size rows_per_chunk = {};                      ///< a count, or chunk_bytes(…)
    checksum sum = checksum::crc32c;                     ///< of each chunk; of a dataset that is there, its own
    std::optional<std::string> order_by = std::nullopt;  ///< a field, or "" for the 1-d array itself; also its own
    commit_rules commit = {};
    run_options run = {};
};

}  // namespace ndkeep
