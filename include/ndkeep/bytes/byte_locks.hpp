// SPDX-License-Identifier: BSD-3-Clause
// Locks on numbers, which processes take out of courtesy to each other.
#pragma once

#include <ndkeep/bytes/file.hpp>

#include <chrono>
#include <thread>

namespace ndkeep {

/// Locks on numbers, which processes take out of courtesy to each other. Held by this object until it is destroyed, or
/// its process is killed; threads of one process with an object each exclude each other as well.
class byte_locks {
  public:
    byte_locks() = default;
    /// @param held  the file whose bytes stand for the numbers; for exclusive locks opened for writing
    explicit byte_locks(file&& held) : held_(std::move(held)) {}

    /// Locks of nobody: every one is granted, and there are none.
    [[nodiscard]] bool is_open() const noexcept { return held_.is_open(); }

    [[nodiscard]] bool lock_shared(std::uint64_t number) { return set(F_RDLCK, number, 1); }
    [[nodiscard]] bool lock(std::uint64_t first, std::uint64_t count = 1) { return set(F_WRLCK, first, count); }
    /// Waits for others to release it.
    template <class Rep, class Period>
    [[nodiscard]] bool lock_within(std::uint64_t number, std::chrono::duration<Rep, Period> patience) {
        const auto end = std::chrono::steady_clock::now() + patience;
        auto pause = std::chrono::microseconds(50);
        while (!lock(number)) {
            if (std::chrono::steady_clock::now() > end)
                return false;
            std::this_thread::sleep_for(pause);
            pause = std::min(2 * pause, std::chrono::microseconds(5000));
        }
        return true;
    }
    void unlock(std::uint64_t first, std::uint64_t count = 1) { (void)set(F_UNLCK, first, count); }

    /// The lowest number below `end` that somebody else holds.
    [[nodiscard]] std::optional<std::uint64_t> held_below(std::uint64_t end) const {
#if defined(F_OFD_GETLK)
        std::optional<std::uint64_t> lowest;
        while (is_open() && end != 0) {
            struct flock range = described(F_WRLCK, 0, end);
            if (::fcntl(held_.descriptor(), F_OFD_GETLK, &range) != 0 || range.l_type == F_UNLCK)
                break;
            lowest = end = static_cast<std::uint64_t>(range.l_start);
        }
        return lowest;
#else
        (void)end;
        return std::nullopt;
#endif
    }

  private:
    [[nodiscard]] static struct flock described(short type, std::uint64_t first, std::uint64_t count) {
        struct flock range = {};
        range.l_type = type;
        range.l_whence = SEEK_SET;
        range.l_start = static_cast<off_t>(first);
        range.l_len = static_cast<off_t>(count);
        return range;
    }

    [[nodiscard]] bool set(short type, std::uint64_t first, std::uint64_t count) {
#if defined(F_OFD_SETLK)
        if (!is_open())
            return true;
        struct flock range = described(type, first, count);
        return detail::retried([&] { return ::fcntl(held_.descriptor(), F_OFD_SETLK, &range); }) == 0;
#else
        (void)type, (void)first, (void)count;
        return true;
#endif
    }

    file held_;
};

}  // namespace ndkeep
