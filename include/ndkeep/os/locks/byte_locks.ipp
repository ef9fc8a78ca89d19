// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/locks/byte_locks.hpp>.
#pragma once

#include <ndkeep/os/locks/byte_locks.hpp>

#include <ndkeep/os/locks/waiting.hpp>

#include <algorithm>
#include <cerrno>

#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE bool byte_locks::lock_within(std::uint64_t number, std::chrono::milliseconds patience) {
    return set_within(F_WRLCK, number, patience);
}

NDKEEP_INLINE bool byte_locks::lock_shared_within(std::uint64_t number, std::chrono::milliseconds patience) {
    return set_within(F_RDLCK, number, patience);
}

NDKEEP_INLINE std::optional<std::uint64_t> byte_locks::held_between(std::uint64_t first, std::uint64_t end) const {
    std::optional<std::uint64_t> lowest;
    // The system reports one conflicting lock, in no promised order. Ask again below it until there is none.
#if defined(F_OFD_GETLK)
    while (is_open() && first < end) {
        // A write lock conflicts with shared locks as well, so both kinds are found.
        struct flock range = described(F_WRLCK, first, end - first);
        if (::fcntl(held_.descriptor(), F_OFD_GETLK, &range) != 0)
            held_.fail("cannot ask for locks of");
        if (range.l_type == F_UNLCK)
            break;
        // The reported lock may begin before `first`.
        lowest = end = std::max(first, static_cast<std::uint64_t>(range.l_start));
    }
#else
    (void)first, (void)end;
#endif
    return lowest;
}

NDKEEP_INLINE struct flock byte_locks::described(short type, std::uint64_t first, std::uint64_t count) {
    struct flock range = {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(first);
    range.l_len = static_cast<off_t>(count);
    return range;
}

NDKEEP_INLINE bool byte_locks::set(short type, std::uint64_t first, std::uint64_t count) {
    // Locks of the open file description, for two reasons. Classic POSIX locks (F_SETLK) belong to the process: they do
    // not exclude its threads, and the close of any other descriptor of the file drops them. A failed upgrade of a
    // flock(2) lock may lose the shared lock.
#if defined(F_OFD_SETLK)
    if (!is_open())
        return true;
    // A forked child shares the open file description. Whatever it locked or released, it would do for its parent.
    errno = EPERM;
    struct flock range = described(type, first, count);
    return owner_.is_this() && detail::retried([&] { return ::fcntl(held_.descriptor(), F_OFD_SETLK, &range); }) == 0;
#else
    (void)type, (void)first, (void)count;
    return true;
#endif
}

NDKEEP_INLINE bool byte_locks::set_within(short type, std::uint64_t number, std::chrono::milliseconds patience) {
    return detail::asked_within(patience, [&] {
               if (set(type, number, 1))
                   return detail::attempt::succeeded;
               // POSIX allows both numbers for a conflict. Waiting does not help against any other error.
               return errno == EAGAIN || errno == EACCES ? detail::attempt::refused : detail::attempt::failed;
           }) == detail::attempt::succeeded;
}

}  // namespace ndkeep
