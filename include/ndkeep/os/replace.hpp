// SPDX-License-Identifier: BSD-3-Clause
// Replacing a file whole: written beside under one locked name, then renamed, so the final name never holds a part.
#pragma once

#include <ndkeep/os/writer_lock.hpp>

#include <cstdio>  // rename, and renameat2 where there is one

namespace ndkeep {

/// A new content for one file name, written beside it and put in its place by `commit()`.
///
/// Destroyed without commit, nothing has happened; killed at any instant, the name holds the old or the new content.
class replacement : public writer_lock {
  public:
    explicit replacement(const std::filesystem::path& target) : replacement(writer_lock(target)) {}
    /// Goes on under a lock that is already held.
    explicit replacement(writer_lock&& lock) : writer_lock(std::move(lock)), written_as_(name_) {
        if (is_borrowed_)
            create_content();
        if (!former_)
            return;
        const auto status = content().status();
        const bool has_owner = status.st_uid == former_->st_uid && status.st_gid == former_->st_gid;
        // The owner first: changing it clears mode bits. Only the superuser may, and nobody else needs to.
        if (!has_owner) {
            [[maybe_unused]] const int refused = ::fchown(content().descriptor(), former_->st_uid, former_->st_gid);
        }
        constexpr mode_t bits = 07777;
        if ((!has_owner || (status.st_mode & bits) != (former_->st_mode & bits)) &&
            ::fchmod(content().descriptor(), former_->st_mode & bits) != 0)
            content().fail("cannot set the mode of");
    }
    replacement(replacement&&) noexcept = default;
    ~replacement() {
        if (is_borrowed_ && content_.is_open() && owner_.is_this() && is_named(content_, written_as_))
            ::unlink(written_as_.c_str());
    }

    /// The file to write into; empty at first.
    [[nodiscard]] file& content() noexcept { return is_borrowed_ ? content_ : beside_; }

    /// Ends the writing: late write errors are reported, and with `durable` it waits for the disk. The stamp it returns
    /// is the one the file will have under its final name.
    file_stamp seal(bool durable) {
        check_process();
        if (durable)
            content().sync();
        else
            content().settle();
        sealed_ = true;
        return content().stamp();
    }

    /// Gives the content that is there now a second name, in place of what has that name. The file itself stays where
    /// it is, and at every instant both names hold a whole one. To be followed by `commit`.
    void keep_former_as(const std::filesystem::path& name) {
        check_process();
        if (!target_exists() || target_is_reserved())
            return;
        const std::filesystem::path link = detail::beside(target_, ".prv");
        // Two names of one file cannot be renamed onto each other, so that one left by a kill must go first.
        remove_file(link);
        if (::link(target_.c_str(), link.c_str()) != 0) {
            if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK)
                throw io_error(target_, "cannot keep the former content of", detail::last_error());
            copy_to(link);  // a file system without second names
        }
        if (::rename(link.c_str(), name.c_str()) != 0)
            throw io_error(name, "cannot replace", detail::last_error());
        remove_file(link);
    }

    /// Puts the new content under the final name: the commit point. With `durable`, it also survives a power cut.
    /// Returns the file, still open.
    /// @throws io_error  nothing has changed; or, where it says so, the new content is visible and not durable yet
    file commit(bool durable) {
        prepare(durable);
        if (::rename(written_as_.c_str(), target_.c_str()) != 0)
            throw io_error(target_, "cannot replace", detail::last_error());
        return committed(durable);
    }

    /// The same where the name must still be free.
    /// @throws io_error  with `std::errc::file_exists`: somebody else was first
    file commit_new(bool durable) {
        prepare(durable);
#if defined(RENAME_NOREPLACE)
        if (::renameat2(AT_FDCWD, written_as_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) == 0)
            return committed(durable);
        if (errno != EINVAL && errno != ENOSYS)
            throw io_error(target_, "cannot create", detail::last_error());
#endif
        if (::link(written_as_.c_str(), target_.c_str()) != 0)
            throw io_error(target_, "cannot create", detail::last_error());
        ::unlink(written_as_.c_str());
        return committed(durable);
    }

  private:
    /// Content beside a lock that belongs to another user. A file of this user under its name was left by a killed
    /// writer, because the lock is held.
    void create_content() {
        written_as_ = detail::beside_of_user(target_);
        auto fresh = file::create_exclusive(written_as_, target_);
        if (!fresh && detail::is_own_file(written_as_)) {
            remove_file(written_as_);
            fresh = file::create_exclusive(written_as_, target_);
        }
        if (!fresh)
            throw io_error(written_as_, "cannot create", std::make_error_code(std::errc::file_exists));
        content_ = std::move(*fresh);
    }

    /// Everything that can be refused while nothing has changed.
    void prepare(bool durable) {
        check_process();
        if (!sealed_)
            seal(durable);
        // A name that was removed meanwhile may be another writer's by now, and hold half of its content.
        if (!is_named(content(), written_as_))
            throw io_error(target_,
                           "cannot replace: " + quoted(written_as_.filename().native()) +
                               " was removed or replaced by another program",
                           std::make_error_code(std::errc::no_such_file_or_directory));
    }

    void copy_to(const std::filesystem::path& name) {
        auto copy = file::create_exclusive(name);
        if (!copy)
            throw io_error(name, "cannot create", std::make_error_code(std::errc::file_exists));
        const file from = file::open(target_);
        copy->copy(from, 0, 0, from.size());
        copy->sync();
    }

    [[nodiscard]] file committed(bool durable) {
        file done = std::move(content());  // so that the destructor has nothing to unlink
        // The inode is the target now. A child that was forked meanwhile must not keep it locked.
        done.unlock();
        if (durable)
            sync_target_directory();
        return done;
    }

    void sync_target_directory() const {
        const auto directory = target_.parent_path();
        try {
            sync_directory(directory);
        } catch (const io_error& problem) {
            throw io_error(directory.empty() ? "." : directory, "cannot sync the directory", problem.code(),
                           quoted(target_.filename().native()) +
                               " has its new content, which may not survive a power cut");
        }
    }

    std::filesystem::path written_as_;
    file content_;  // if the lock is borrowed
    bool sealed_ = false;
};

}  // namespace ndkeep
