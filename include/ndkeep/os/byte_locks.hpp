// SPDX-License-Identifier: BSD-3-Clause
// Locks on numbers, by which processes tell each other what they are doing.
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

/// Locks on numbers, by which processes tell each other what they are doing. Held by this object until it is destroyed,
/// or its process is killed; threads of one process with an object each exclude each other as well. A copy in a forked
/// child neither takes nor releases anything; what it had when it was forked is held until both are gone, or the parent
/// has called `unlock_all`.
class byte_locks {
  public:
    byte_locks() = default;
    /// @param held  the file whose bytes stand for the numbers; for exclusive locks opened for writing
    explicit byte_locks(file&& held) : held_(std::move(held)) {}

    /// If not, these are locks of nobody: every one is granted, and there are no others.
    [[nodiscard]] bool is_open() const noexcept { return held_.is_open(); }

    /// False if somebody else holds it, or it cannot be taken; `errno` says why.
    [[nodiscard]] bool lock_shared(std::uint64_t number) { return set(F_RDLCK, number, 1); }
    [[nodiscard]] bool lock(std::uint64_t first, std::uint64_t count = 1) { return set(F_WRLCK, first, count); }
    /// Waits at most so long for others to release it.
    [[nodiscard]] bool lock_within(std::uint64_t number, std::chrono::milliseconds patience);
    [[nodiscard]] bool lock_shared_within(std::uint64_t number, std::chrono::milliseconds patience);
    void unlock(std::uint64_t first, std::uint64_t count = 1) { (void)set(F_UNLCK, first, count); }
    void unlock_all() { (void)set(F_UNLCK, 0, 0); }

    /// The lowest number from `first` to before `end` that somebody else holds. To ask needs no right to write.
    /// @throws io_error  the file system does not answer
    [[nodiscard]] std::optional<std::uint64_t> held_between(std::uint64_t first, std::uint64_t end) const;
    [[nodiscard]] std::optional<std::uint64_t> held_below(std::uint64_t end) const { return held_between(0, end); }

  private:
    [[nodiscard]] static struct flock described(short type, std::uint64_t first, std::uint64_t count);

    [[nodiscard]] bool set(short type, std::uint64_t first, std::uint64_t count);

    [[nodiscard]] bool set_within(short type, std::uint64_t number, std::chrono::milliseconds patience);

    file held_;
    owning_process owner_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/byte_locks.ipp>
#endif
