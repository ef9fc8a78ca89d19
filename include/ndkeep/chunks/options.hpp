// SPDX-License-Identifier: BSD-3-Clause
// What chunked arrays are written by.
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

}  // namespace ndkeep::inline NDKEEP_ABI
