// SPDX-License-Identifier: BSD-3-Clause
// One attempt to commit: the locks that it holds, and the files that it may sweep.
#pragma once

#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// What a commit holds from step 2 to its end, also while moved files are staged again: the turn, and the lock of all
/// writers if it sweeps. It must not outlive its transaction.
class commit_attempt {
  public:
    /// Waits for the turn.
    /// @param may_sweep  sweep if no other writer is open. The lock decides only whether to try: a sweep is safe with
    ///                   other writers too, but would make their commits fail
    commit_attempt(place& where, byte_locks& locks, std::chrono::milliseconds patience, bool may_sweep);
    /// The same, to sweep names that were listed before.
    commit_attempt(place& where, byte_locks& locks, std::chrono::milliseconds patience,
                   std::vector<std::string> listed);

    /// Names in `chunks`, listed before step 3; empty if this attempt does not sweep. A file staged later is not among
    /// them. A file staged earlier is named by a record when the sweep reads them, or its writer has noted an older
    /// epoch, and step 3 of that writer's commit fails.
    [[nodiscard]] const std::vector<std::string>& listed() const noexcept { return listed_; }

    /// Counts a try of steps 3 to 7.
    /// @throws conflict_error  it would be the seventeenth
    void begin_try();

    bool raises_epoch = false;     // a sweep follows
    bool is_first_record = false;  // no commit existed before, so the file with the drawn id becomes obsolete

  private:
    /// The lock of all writers: exclusive, if wanted and possible; shared again at the end, or all other writers would
    /// wait until this one is closed.
    class writers_lock {
      public:
        writers_lock(byte_locks& locks, bool wanted);
        writers_lock(const writers_lock&) = delete;
        writers_lock& operator=(const writers_lock&) = delete;
        ~writers_lock();

        [[nodiscard]] bool is_exclusive() const noexcept { return exclusive_; }

      private:
        byte_locks& locks_;
        bool exclusive_;
    };

    place& where_;
    int tries_ = 0;
    writers_lock alone_;
    std::vector<std::string> listed_;
    commit_turn turn_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/commit_attempt.ipp>
#endif
