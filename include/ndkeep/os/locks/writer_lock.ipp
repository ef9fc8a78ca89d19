// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/locks/writer_lock.hpp>.
#pragma once

#include <ndkeep/os/locks/writer_lock.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/locks/waiting.hpp>
#include <ndkeep/os/names.hpp>

#include <cerrno>
#include <utility>

#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE void remove_file(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        throw io_error(path, "cannot remove", detail::last_error());
}

NDKEEP_INLINE void check_writable(const std::filesystem::path& path, read_only_files wanted) {
    if (wanted == read_only_files::replace || detail::is_writable(path))
        return;
    const auto why = detail::last_error();
    if (why == std::errc::permission_denied || why == std::errc::operation_not_permitted ||
        why == std::errc::read_only_file_system)
        throw io_error(path, "cannot replace: it is write-protected", why,
                       "make it writable, or use the option .replace_read_only");
}

NDKEEP_INLINE writer_lock::writer_lock(const std::filesystem::path& target, read_only_files wanted,
                                       const std::filesystem::path& like)
    : target_(detail::resolved(target, &former_)), like_(like), wanted_(wanted) {
    if (target_.empty() || target_.native().back() == '/')
        throw io_error(target, "cannot write", std::make_error_code(std::errc::is_a_directory));
    check_former();  // before a lock file is created next to something that cannot be written anyway
    acquire();
    // Again under the lock: the writer before this one may have replaced or created the file.
    look_at_target();
}

NDKEEP_INLINE void writer_lock::release() noexcept {
    lease_ = {};
    if (!beside_.is_open() || !owner_.is_this())
        return;
    // Remove the name while the lock is held. A waiting writer then sees that the name no longer leads to its inode,
    // and starts again. In the other order, this writer could remove the file that the next one has just locked. A
    // commit leaves `beside_` open only if it was borrowed.
    if (!is_borrowed_ && is_named(beside_, name_))
        ::unlink(name_.c_str());
    // Explicitly, because closing is not enough if a forked child has a copy of the descriptor.
    beside_.unlock();
    beside_ = {};
}

NDKEEP_INLINE bool writer_lock::is_named(const file& held, const std::filesystem::path& name) noexcept {
    struct stat named = {}, status = {};
    return ::lstat(name.c_str(), &named) == 0 && ::fstat(held.descriptor(), &status) == 0 &&
           named.st_ino == status.st_ino && named.st_dev == status.st_dev;
}

NDKEEP_INLINE void writer_lock::acquire() {
    lease_ = detail::shared_lease(target_);
    name_ = detail::beside(target_);
    constexpr int most_tries = 100'000;  // each try fails only because another writer was faster
    for (int tries = 0; tries < most_tries; ++tries) {
        if (auto fresh = file::create_exclusive(name_, target_)) {  // step 1
            beside_ = std::move(*fresh);
            if (lock_fresh())
                return;
        } else if (auto taken = file::open_leftover(name_)) {  // step 2
            beside_ = std::move(*taken);
            beside_.call(target_);  // errors show the file that the user wants to write
            if (wait_for_lock() && !remove_leftover())
                return;
        } else if (errno == EACCES) {
            wait_for_change();
        } else if (errno != ENOENT) {      // ENOENT: the holder has just released it
            refuse(detail::last_error());  // step 5
        }
        beside_ = {};
    }
    throw io_error(target_, "cannot lock", std::make_error_code(std::errc::resource_unavailable_try_again));
}

NDKEEP_INLINE bool writer_lock::lock_fresh() {
    // Another writer can open and lock the file between its creation and this lock. It then removes the file as a
    // leftover, so a lock without the name is worth nothing.
    try {
        if (beside_.try_lock() && is_named(beside_, name_))
            return true;
    } catch (const io_error&) {
        // The file system cannot lock. Leave no file behind.
        if (is_named(beside_, name_))
            ::unlink(name_.c_str());
        throw;
    }
    return false;
}

NDKEEP_INLINE void writer_lock::wait_for_change() const {
    const auto first = detail::identity_of(name_);
    // A directory or a link under this name is not a lock, and will not disappear by waiting.
    if (first && !S_ISREG(first->mode))
        refuse(std::make_error_code(std::errc::permission_denied));
    const auto ask = [&] {
        return first && detail::identity_of(name_) == first ? detail::attempt::refused : detail::attempt::succeeded;
    };
    if (detail::asked_within(patience_with_closed_locks, ask) == detail::attempt::refused)
        refuse(std::make_error_code(std::errc::permission_denied));
}

NDKEEP_INLINE bool writer_lock::wait_for_lock() {
    const auto status = beside_.status();
    if (!S_ISREG(status.st_mode))
        refuse(std::make_error_code(S_ISDIR(status.st_mode) ? std::errc::is_a_directory : std::errc::not_supported));
    // Poll instead of a blocking flock(2). The inode may lose its name meanwhile (a commit renames it to the target),
    // and any program could then hold its lock for as long as it likes.
    const auto ask = [&] {
        if (beside_.try_lock())
            return detail::attempt::succeeded;
        return is_named(beside_, name_) ? detail::attempt::refused : detail::attempt::failed;
    };
    auto answer = detail::asked_within(patience_with_others, ask);
    // Wait without limit for a writer of the same user. Another user could block this one forever.
    while (answer == detail::attempt::refused && status.st_uid == ::geteuid())
        answer = detail::asked_within(patience_with_others, ask);
    if (answer == detail::attempt::refused)
        refuse(std::make_error_code(std::errc::device_or_resource_busy));
    // The lock may be of an inode that lost its name just before: start again then.
    return answer == detail::attempt::succeeded && is_named(beside_, name_);
}

NDKEEP_INLINE bool writer_lock::remove_leftover() {
    // A second name of the target: a writer was killed between the link and the unlink of `commit_new`.
    const bool is_target = is_named(beside_, target_);
    if (beside_.status().st_uid == ::geteuid() || is_target) {
        // Only the holder of the lock removes or renames this name, so it still leads to the locked inode.
        if (::unlink(name_.c_str()) == 0 || errno == ENOENT)
            return true;
        // A second name of the target cannot serve as the lock: it would block programs that lock the target itself.
        if ((errno != EPERM && errno != EACCES) || is_target)
            refuse(detail::last_error());
    }
    is_borrowed_ = true;  // step 4
    return false;
}

NDKEEP_INLINE void writer_lock::refuse(const std::error_code& why) const {
    throw io_error(target_,
                   "cannot lock: " + quoted(name_.filename().native()) + " is " + detail::kind_and_owner(name_), why,
                   "it may be removed when no writer of " + quoted(target_.filename().native()) + " is at work");
}

NDKEEP_INLINE void writer_lock::look_at_target() {
    struct stat status = {};
    former_ = ::stat(target_.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
    like_exists_ = !like_.empty() && ::stat(like_.c_str(), &status) == 0;
    model_ = like_exists_ ? std::optional(status) : former_;
    check_former();
}

NDKEEP_INLINE void writer_lock::check_former() const {
    if (former_ && !S_ISREG(former_->st_mode))
        throw io_error(
            target_, "cannot write: not a regular file",
            std::make_error_code(S_ISDIR(former_->st_mode) ? std::errc::is_a_directory : std::errc::not_supported));
    if (former_)
        check_writable(target_, wanted_);
}

namespace detail {

NDKEEP_INLINE file_lock::file_lock(const file& held) : held_(held) {
    const auto ask = [&] { return held_.try_lock() ? attempt::succeeded : attempt::refused; };
    if (asked_within(patience_with_others, ask) != attempt::succeeded)
        throw io_error(held_.path(), "cannot lock: another process keeps it locked",
                       std::make_error_code(std::errc::device_or_resource_busy));
}

NDKEEP_INLINE file_lock::~file_lock() {
    // A forked child shares the lock of its parent, and must not release it.
    if (owner_.is_this())
        held_.unlock();
}

NDKEEP_INLINE std::optional<writer_lock> lock_to_grow(const std::filesystem::path& path) {
    try {
        // Write protection is found when the file is opened. An append replaces it only if it could open it.
        return writer_lock(path, read_only_files::replace);
    } catch (const io_error&) {
        const auto target = resolved(path);
        const auto parent = target.parent_path();
        if (is_writable(parent.empty() ? "." : parent) || !is_writable(target))
            throw;
        return std::nullopt;
    }
}

}  // namespace detail

}  // namespace ndkeep
