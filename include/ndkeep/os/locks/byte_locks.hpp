// SPDX-License-Identifier: BSD-3-Clause
// Advisory locks on 64-bit numbers between processes and threads: byte-range locks of one file.
#pragma once

#include <ndkeep/os/file.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <fcntl.h>

namespace ndkeep::inline NDKEEP_ABI {

/// Advisory locks on numbers, shared or exclusive, held until the object is destroyed or its process is killed.
///
/// Two objects exclude each other even in one process, so each thread can have one. A copy in a forked child cannot
/// take or release locks. Locks held at the time of the fork are released when both copies are gone, or when the parent
/// calls `unlock_all`.
///
/// Where the system has no open file description locks (`F_OFD_SETLK`), every lock is granted and none is reported.
class byte_locks {
  public:
    byte_locks() = default;
    /// @param held  the file to lock: byte n stands for the number n, and need not exist. Exclusive locks need a file
    ///              that is open for writing
    explicit byte_locks(file&& held) : held_(std::move(held)) {}

    /// Whether there is a file to lock. Without one, every lock is granted and no other holder is reported.
    [[nodiscard]] bool is_open() const noexcept { return held_.is_open(); }

    /// Takes a lock without waiting. Returns false if another object holds a conflicting lock (`errno` is EAGAIN or
    /// EACCES), or if the system refuses for another reason. A refused upgrade from shared to exclusive keeps the
    /// shared lock.
    [[nodiscard]] bool lock_shared(std::uint64_t number) { return set(F_RDLCK, number, 1); }
    [[nodiscard]] bool lock(std::uint64_t first, std::uint64_t count = 1) { return set(F_WRLCK, first, count); }
    /// Takes a lock, waiting at most `patience` for other holders to release it. Returns false at once for an error
    /// that is not a conflict.
    [[nodiscard]] bool lock_within(std::uint64_t number, std::chrono::milliseconds patience);
    [[nodiscard]] bool lock_shared_within(std::uint64_t number, std::chrono::milliseconds patience);
    void unlock(std::uint64_t first, std::uint64_t count = 1) { (void)set(F_UNLCK, first, count); }
    void unlock_all() { (void)set(F_UNLCK, 0, 0); }

    /// The lowest number in [first, end) that another object has locked, shared or exclusively; nullopt if none. A file
    /// that is open for reading is enough.
    /// @throws io_error  the file system cannot report locks
    [[nodiscard]] std::optional<std::uint64_t> held_between(std::uint64_t first, std::uint64_t end) const;
    [[nodiscard]] std::optional<std::uint64_t> held_below(std::uint64_t end) const { return held_between(0, end); }

  private:
    /// The system's description of `count` bytes from `first`. A count of 0 means all bytes from `first` on.
    [[nodiscard]] static struct flock described(short type, std::uint64_t first, std::uint64_t count);

    [[nodiscard]] bool set(short type, std::uint64_t first, std::uint64_t count);

    [[nodiscard]] bool set_within(short type, std::uint64_t number, std::chrono::milliseconds patience);

    file held_;
    owning_process owner_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/locks/byte_locks.ipp>
#endif
