// SPDX-License-Identifier: BSD-3-Clause
// Options of a database.
#pragma once

#include <ndkeep/version.hpp>

#include <chrono>
#include <cstdint>

namespace ndkeep::inline NDKEEP_ABI {

/// What a commit of a database waits for.
enum class database_durability {
    log,   ///< the log is on the disk: the commit survives a power cut
    full,  ///< the npy files are on the disk as well
    none   ///< nothing: a commit survives a kill of the process, but perhaps not a power cut
};

/// Options of `database`.
struct database_options {
    bool optimistic = false;            ///< several writers at a time; `commit` refuses changes that collide
    std::chrono::milliseconds wait{0};  ///< for another writer to finish
    database_durability durability = database_durability::log;
    bool adopt = false;       ///< accept files that another program has changed meanwhile
    std::uint64_t spill = 0;  ///< changed bytes that may stay in memory; see `database::spill`
    /// Bytes of addresses for each array: the size it can grow to. Less if more than 64 arrays are open.
    std::uint64_t reserve = std::uint64_t{1} << 38;
};

}  // namespace ndkeep
