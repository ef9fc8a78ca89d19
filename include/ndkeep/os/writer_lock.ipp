// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/writer_lock.hpp>.
#pragma once

#include <ndkeep/os/writer_lock.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/waiting.hpp>

#include <cerrno>
#include <utility>

#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE void remove_file(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        throw io_error(path, "cannot remove", detail::last_error());
}

NDKEEP_INLINE writer_lock::writer_lock(const std::filesystem::path& target)
    : target_(detail::resolved(target, &former_)) {
    if (target_.empty() || target_.native().back() == '/')
        throw io_error(target, "cannot write", std::make_error_code(std::errc::is_a_directory));
    check_former();  // before anything is made beside what may not be written
    acquire();
    look_at_target();
}

NDKEEP_INLINE writer_lock::~writer_lock() {
    if (!beside_.is_open() || !owner_.is_this())
        return;
    // Still locked here: whoever waits finds another inode under the name and starts again.
    if (!is_borrowed_ && is_named(beside_, name_))
        ::unlink(name_.c_str());
    beside_.unlock();
}

NDKEEP_INLINE bool writer_lock::is_named(const file& held, const std::filesystem::path& name) noexcept {
    struct stat named = {}, status = {};
    return ::lstat(name.c_str(), &named) == 0 && ::fstat(held.descriptor(), &status) == 0 &&
           named.st_ino == status.st_ino && named.st_dev == status.st_dev;
}

NDKEEP_INLINE void writer_lock::acquire() {
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

NDKEEP_INLINE bool writer_lock::lock_fresh() {
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

NDKEEP_INLINE void writer_lock::wait_for_change() const {
    const auto first = detail::identity_of(name_);
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

NDKEEP_INLINE bool writer_lock::remove_leftover() {
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

NDKEEP_INLINE void writer_lock::refuse(const std::error_code& why) const {
    throw io_error(target_,
                   "cannot lock: " + quoted(name_.filename().native()) + " is " + detail::kind_and_owner(name_), why,
                   "it may be removed when no writer of " + quoted(target_.filename().native()) + " is at work");
}

NDKEEP_INLINE void writer_lock::look_at_target() {
    struct stat status = {};
    former_ = ::stat(target_.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
    check_former();
}

NDKEEP_INLINE void writer_lock::check_former() const {
    if (former_ && !S_ISREG(former_->st_mode))
        throw io_error(
            target_, "cannot write: not a regular file",
            std::make_error_code(S_ISDIR(former_->st_mode) ? std::errc::is_a_directory : std::errc::not_supported));
}

}  // namespace ndkeep
