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

#include <ndkeep/os/names.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/os/waiting.hpp>

namespace ndkeep {

/// Removes a file that need not exist.
inline void remove_file(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        throw io_error(path, "cannot remove", detail::last_error());
}

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
    explicit writer_lock(const std::filesystem::path& target) : target_(detail::resolved(target, &former_)) {
        if (target_.empty() || target_.native().back() == '/')
            throw io_error(target, "cannot write", std::make_error_code(std::errc::is_a_directory));
        check_former();  // before anything is made beside what may not be written
        acquire();
        look_at_target();
    }
    writer_lock(writer_lock&&) noexcept = default;
    writer_lock& operator=(writer_lock&&) = delete;
    ~writer_lock() {
        if (!beside_.is_open() || !owner_.is_this())
            return;
        // Still locked here: whoever waits finds another inode under the name and starts again.
        if (!is_borrowed_ && is_named(beside_, name_))
            ::unlink(name_.c_str());
        beside_.unlock();
    }

    /// The file itself, links followed.
    [[nodiscard]] const std::filesystem::path& target() const noexcept { return target_; }
    /// Whether `target` was there when the lock was taken.
    [[nodiscard]] bool target_exists() const noexcept { return former_.has_value(); }
    /// Whether it was there and empty: a name that `next_name` reserved.
    [[nodiscard]] bool target_is_reserved() const noexcept { return former_ && former_->st_size == 0; }
    /// @throws conflict_error  this is a copy in a forked child
    void check_process() const { owner_.check(target_); }

  protected:
    [[nodiscard]] static bool is_named(const file& held, const std::filesystem::path& name) noexcept {
        struct stat named = {}, status = {};
        return ::lstat(name.c_str(), &named) == 0 && ::fstat(held.descriptor(), &status) == 0 &&
               named.st_ino == status.st_ino && named.st_dev == status.st_dev;
    }

    file beside_;                        // what is locked
    std::filesystem::path name_;         // of `beside_`
    bool is_borrowed_ = false;           // another user's, not to be written or removed
    std::optional<struct stat> former_;  // before `target_`, which says what it is
    std::filesystem::path target_;
    owning_process owner_;

  private:
    void acquire() {
        name_ = detail::beside(target_);
        constexpr int most_tries = 100'000;  // each is lost to another writer
        for (int tries = 0; tries < most_tries; ++tries) {
            if (auto fresh = file::create_exclusive(name_, target_)) {  // step 1
                beside_ = std::move(*fresh);
                if (lock_fresh())
                    return;
            } else if (auto taken = file::open_leftover(name_)) {  // step 2
                beside_ = std::move(*taken);
                beside_.call(target_);
                if (wait_for_lock() && !remove_leftover())
                    return;
            } else if (errno == EACCES) {
                wait_for_change();
            } else if (errno != ENOENT) {
                refuse(detail::last_error());
            }
            beside_ = {};
        }
        throw io_error(target_, "cannot lock", std::make_error_code(std::errc::resource_unavailable_try_again));
    }

    /// False where another writer took it for a leftover.
    [[nodiscard]] bool lock_fresh() {
        try {
            if (beside_.try_lock() && is_named(beside_, name_))
                return true;
        } catch (const io_error&) {
            if (is_named(beside_, name_))
                ::unlink(name_.c_str());
            throw;
        }
        return false;
    }

    /// Another user's lock that this user may not open: whether it is held cannot be asked. A writer at work changes
    /// it, or gives it up.
    void wait_for_change() const {
        const auto first = detail::identity_of(name_);
        if (first && !S_ISREG(first->mode))
            refuse(std::make_error_code(std::errc::permission_denied));
        const auto ask = [&] {
            return first && detail::identity_of(name_) == first ? detail::attempt::refused : detail::attempt::succeeded;
        };
        if (detail::asked_within(patience_with_closed_locks, ask) == detail::attempt::refused)
            refuse(std::make_error_code(std::errc::permission_denied));
    }

    /// False when the name leads elsewhere by now.
    [[nodiscard]] bool wait_for_lock() {
        const auto status = beside_.status();
        if (!S_ISREG(status.st_mode))
            refuse(
                std::make_error_code(S_ISDIR(status.st_mode) ? std::errc::is_a_directory : std::errc::not_supported));
        // Not a call that waits: who holds the lock then may be a stranger, with an inode that has no name any more.
        const auto ask = [&] {
            if (beside_.try_lock())
                return detail::attempt::succeeded;
            return is_named(beside_, name_) ? detail::attempt::refused : detail::attempt::failed;
        };
        auto answer = detail::asked_within(patience_with_others, ask);
        // A writer of the same user may take its time; another user could keep this one from its work for ever.
        while (answer == detail::attempt::refused && status.st_uid == ::geteuid())
            answer = detail::asked_within(patience_with_others, ask);
        if (answer == detail::attempt::refused)
            refuse(std::make_error_code(std::errc::device_or_resource_busy));
        return answer == detail::attempt::succeeded && is_named(beside_, name_);
    }

    /// Steps 3 and 4. False where it stays.
    [[nodiscard]] bool remove_leftover() {
        const bool is_target = is_named(beside_, target_);  // a second name of it: a kill came between two calls
        if (beside_.status().st_uid == ::geteuid() || is_target) {
            if (::unlink(name_.c_str()) == 0 || errno == ENOENT)
                return true;
            // As a lock it would be in the way of who locks the target itself.
            if ((errno != EPERM && errno != EACCES) || is_target)
                refuse(detail::last_error());
        }
        is_borrowed_ = true;
        return false;
    }

    /// Step 5.
    [[noreturn]] void refuse(const std::error_code& why) const {
        throw io_error(
            target_, "cannot lock: " + quoted(name_.filename().native()) + " is " + detail::kind_and_owner(name_), why,
            "it may be removed when no writer of " + quoted(target_.filename().native()) + " is at work");
    }

    void look_at_target() {
        struct stat status = {};
        former_ = ::stat(target_.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
        check_former();
    }

    void check_former() const {
        if (former_ && !S_ISREG(former_->st_mode))
            throw io_error(
                target_, "cannot write: not a regular file",
                std::make_error_code(S_ISDIR(former_->st_mode) ? std::errc::is_a_directory : std::errc::not_supported));
    }
};

}  // namespace ndkeep
