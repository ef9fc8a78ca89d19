// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/commit_attempt.hpp>.
#pragma once

#include <ndkeep/store/commit_attempt.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/log.hpp>

#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE commit_attempt::writers_lock::writers_lock(byte_locks& locks, bool wanted)
    : locks_(locks), exclusive_(wanted && locks.is_open() && locks.lock(lock_writing)) {}

NDKEEP_INLINE commit_attempt::writers_lock::~writers_lock() {
    if (exclusive_)
        (void)locks_.lock_shared(lock_writing);
}

NDKEEP_INLINE commit_attempt::commit_attempt(place& where, byte_locks& locks, std::chrono::milliseconds patience,
                                             bool may_sweep)
    : where_(where), alone_(locks, may_sweep),
      listed_(alone_.is_exclusive() ? where.list(chunks_folder) : std::vector<std::string>()), turn_(where, patience) {}

NDKEEP_INLINE commit_attempt::commit_attempt(place& where, byte_locks& locks, std::chrono::milliseconds patience,
                                             std::vector<std::string> listed)
    : where_(where), alone_(locks, false), listed_(std::move(listed)), turn_(where, patience) {}

NDKEEP_INLINE void commit_attempt::begin_try() {
    constexpr int most_tries = 16;
    if (tries_++ == most_tries)
        throw conflict_error({.file = where_.path(),
                              .found = "other writers committed first in each of " + std::to_string(most_tries) +
                                       " tries; commit again"});
}

}  // namespace ndkeep::detail
