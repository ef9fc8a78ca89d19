// SPDX-License-Identifier: BSD-3-Clause
// The right to write one file name, by the lock of a name beside it.
//
// 1. Create `.NAME.ndk` exclusively and lock it, whole, with flock(2), which needs no right to write and so also holds
//    between users. Whoever creates it may write into it and rename it to NAME.
// 2. If the name is taken, open it without following links, and wait for its lock. Then look whether the name still
//    leads to the inode that is locked: its former holder may have renamed it to NAME, or removed it. If not, start
//    again. If it is closed to this user, wait until it is given up.
// 3. What is locked under its name now was left by a killed writer. Remove it, and start again: it may be a second name
//    of a finished file, and its mode is not that of the umask.
// 4. If it belongs to another user, it stays and serves as the lock, and new content gets a name of its own.
// 5. If the lock cannot be had, refuse: nothing is written without it.
#pragma once

#include <ndkeep/os/file.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include <sys/stat.h>

namespace ndkeep::inline NDKEEP_ABI {

/// Removes a file that need not exist.
void remove_file(const std::filesystem::path& path);

/// How long a writer waits for the lock file of another user; and for one that it may not open, while nothing of it
/// changes.
inline constexpr std::chrono::seconds patience_with_others{30}, patience_with_closed_locks{5};

/// The right to write one file name: the lock of `.NAME.ndk` beside it, held until destruction.
///
/// Writers of one name wait for each other, whatever users they are. What a killed writer left under that name is
/// removed by the next one of the same user. A copy in a forked child holds nothing and releases nothing.
class writer_lock {
  public:
    /// @param target  symbolic links are followed; the file need not exist
    /// @throws io_error  the directory cannot be written; `target` is no regular file; or the lock cannot be had:
    ///                   something else has its name, or it belongs to another user and is not given up in time
    explicit writer_lock(const std::filesystem::path& target);
    writer_lock(writer_lock&&) noexcept = default;
    writer_lock& operator=(writer_lock&&) = delete;
    ~writer_lock();

    /// The file itself, links followed.
    [[nodiscard]] const std::filesystem::path& target() const noexcept { return target_; }
    /// Whether `target` was there when the lock was taken.
    [[nodiscard]] bool target_exists() const noexcept { return former_.has_value(); }
    /// Whether it was there and empty: a name that `next_name` reserved.
    [[nodiscard]] bool target_is_reserved() const noexcept { return former_ && former_->st_size == 0; }
    /// @throws conflict_error  this is a copy in a forked child
    void check_process() const { owner_.check(target_); }

  protected:
    [[nodiscard]] static bool is_named(const file& held, const std::filesystem::path& name) noexcept;

    file beside_;                        // what is locked
    std::filesystem::path name_;         // of `beside_`
    bool is_borrowed_ = false;           // another user's, not to be written or removed
    std::optional<struct stat> former_;  // before `target_`, which says what it is
    std::filesystem::path target_;
    owning_process owner_;

  private:
    void acquire();

    /// False where another writer took it for a leftover.
    [[nodiscard]] bool lock_fresh();

    /// Another user's lock that this user may not open: whether it is held cannot be asked. A writer at work changes
    /// it, or gives it up.
    void wait_for_change() const;

    /// False when the name leads elsewhere by now.
    [[nodiscard]] bool wait_for_lock();

    /// Steps 3 and 4. False where it stays.
    [[nodiscard]] bool remove_leftover();

    /// Step 5.
    [[noreturn]] void refuse(const std::error_code& why) const;

    void look_at_target();

    void check_former() const;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/writer_lock.ipp>
#endif
