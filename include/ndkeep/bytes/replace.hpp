// SPDX-License-Identifier: BSD-3-Clause
// Replacing a file whole: written beside under one locked name, then renamed, so the final name never holds a part.
#pragma once

#include <ndkeep/bytes/file.hpp>

#include <array>
#include <cstdio>  // rename, and renameat2 where there is one

#include <sys/random.h>  // getentropy

namespace ndkeep {

namespace detail {

/// Where `path` leads once every symbolic link is followed; the last name need not exist.
/// @param there  gets what is under that name
[[nodiscard]] inline std::filesystem::path resolved(std::filesystem::path path,
                                                    std::optional<struct stat>* there = nullptr) {
    constexpr int most_links = 40;  // as Linux
    for (int links = 0; links <= most_links; ++links) {
        struct stat status = {};
        const bool exists = ::lstat(path.c_str(), &status) == 0;
        if (!exists || !S_ISLNK(status.st_mode)) {
            if (there != nullptr && exists)
                *there = status;
            return path;
        }
        auto target = std::filesystem::read_symlink(path);
        path = target.is_absolute() ? target : path.parent_path() / target;
    }
    throw io_error(path, "cannot follow", std::make_error_code(std::errc::too_many_symbolic_link_levels));
}

[[nodiscard]] inline std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    if (::getentropy(&bits, sizeof bits) != 0)
        throw io_error({}, "cannot draw random bits", last_error());
    return bits;
}

[[nodiscard]] inline std::string hexadecimal(std::uint64_t bits) {
    std::array<char, 17> digits = {};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(bits));
    return digits.data();
}

/// FNV-1a of a text, carried on from another: tells texts apart that nobody has made to be alike.
[[nodiscard]] inline std::uint64_t hash_of(std::string_view text, std::uint64_t before = 14695981039346656037U) {
    for (const char c : text)
        before = (before ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return before;
}

/// `.NAME.ndk` beside the file; a hash stands for names that would become too long.
[[nodiscard]] inline std::filesystem::path beside(const std::filesystem::path& target,
                                                  std::string_view ending = ".ndk") {
    constexpr std::size_t longest_name = 255;  // bytes, on every file system in use
    const std::string& whole = target.native();
    const std::size_t begin = whole.rfind('/') + 1;  // 0 without one
    const bool is_long = whole.size() - begin + 1 + ending.size() > longest_name;
    std::string name;
    name.reserve(whole.size() + 1 + ending.size());
    name.append(whole, 0, begin).append(1, '.');
    if (is_long)
        name.append(hexadecimal(hash_of(std::string_view(whole).substr(begin))));
    else
        name.append(whole, begin);
    return name.append(ending);
}

/// Whole-file lock of the open file description: released when it is closed, also by a kill.
[[nodiscard]] inline bool locked(const file& held) {
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
#if defined(F_OFD_SETLKW)
    return retried([&] { return ::fcntl(held.descriptor(), F_OFD_SETLKW, &whole); }) == 0;
#else
    return retried([&] { return ::fcntl(held.descriptor(), F_SETLKW, &whole); }) == 0;
#endif
}

}  // namespace detail

/// Removes a file that need not exist.
inline void remove_file(const std::filesystem::path& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        throw io_error(path, "cannot remove", detail::last_error());
}

/// The right to write one file name: the lock of `.NAME.ndk` beside it, held until destruction.
///
/// Writers of one name wait for each other. What a killed writer left under that name is taken over by the next.
class writer_lock {
  public:
    /// @param target  symbolic links are followed; the file need not exist
    /// @throws io_error  the directory cannot be written, or `target` is no regular file
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
        // Still locked here: whoever waits finds another inode under the name and starts again.
        if (beside_.is_open())
            ::unlink(name_.c_str());
    }

    /// The file itself, links followed.
    [[nodiscard]] const std::filesystem::path& target() const noexcept { return target_; }
    /// Whether `target` was there when the lock was taken.
    [[nodiscard]] bool target_exists() const noexcept { return former_.has_value(); }
    /// Whether it was there and empty: a name that `next_name` reserved.
    [[nodiscard]] bool target_is_reserved() const noexcept { return former_ && former_->st_size == 0; }

  protected:
    file beside_;
    std::filesystem::path name_;         // of `beside_`
    std::optional<struct stat> former_;  // before `target_`, which says what it is
    std::filesystem::path target_;

  private:
    void acquire() {
        name_ = detail::beside(target_);
        for (int tries = 0; tries < 1000; ++tries) {
            if (auto fresh = file::create_exclusive(name_, target_)) {
                beside_ = std::move(*fresh);
                if (!detail::locked(beside_)) {
                    ::unlink(name_.c_str());
                    return use_random_name();
                }
                if (is_still_named())
                    return;
            } else if (auto leftover = file::open_leftover(name_)) {
                beside_ = std::move(*leftover);
                const auto status = beside_.status();
                if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() || !detail::locked(beside_))
                    return use_random_name();
                // Not truncated and used as it is: its former holder may have renamed it to the final name, or a kill
                // may have left it as a second name of a finished file, and its mode is not the umask's.
                if (is_still_named())
                    ::unlink(name_.c_str());
            } else if (errno != ENOENT) {
                return use_random_name();
            }
            beside_ = {};
        }
        throw io_error(target_, "cannot lock", std::make_error_code(std::errc::resource_unavailable_try_again));
    }

    void use_random_name() {
        beside_ = {};
        for (;;) {
            name_ = target_.parent_path() / (".ndk-" + detail::hexadecimal(detail::random_bits()) + ".ndk");
            if (auto fresh = file::create_exclusive(name_, target_)) {
                beside_ = std::move(*fresh);
                return;
            }
        }
    }

    [[nodiscard]] bool is_still_named() const {
        struct stat named = {};
        if (::lstat(name_.c_str(), &named) != 0)
            return false;
        const auto held = beside_.status();
        return named.st_ino == held.st_ino && named.st_dev == held.st_dev;
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

/// A new content for one file name, written beside it and put in its place by `commit()`.
///
/// Destroyed without commit, nothing has happened; killed at any instant, the name holds the old or the new content.
class replacement : public writer_lock {
  public:
    explicit replacement(const std::filesystem::path& target) : replacement(writer_lock(target)) {}
    /// Goes on under a lock that is already held.
    explicit replacement(writer_lock&& lock) : writer_lock(std::move(lock)) {
        if (!former_)
            return;
        const auto status = beside_.status();
        const bool has_owner = status.st_uid == former_->st_uid && status.st_gid == former_->st_gid;
        // The owner first: changing it clears mode bits. Only the superuser may, and nobody else needs to.
        if (!has_owner) {
            [[maybe_unused]] const int refused = ::fchown(beside_.descriptor(), former_->st_uid, former_->st_gid);
        }
        constexpr mode_t bits = 07777;
        if ((!has_owner || (status.st_mode & bits) != (former_->st_mode & bits)) &&
            ::fchmod(beside_.descriptor(), former_->st_mode & bits) != 0)
            beside_.fail("cannot set the mode of");
    }

    /// The file to write into; empty at first.
    [[nodiscard]] file& content() noexcept { return beside_; }

    /// Ends the writing: hears of late write errors, and with `durable` waits for the disk. The stamp it returns is the
    /// one the file will have under its final name.
    file_stamp seal(bool durable) {
        if (durable)
            beside_.sync();
        else
            beside_.settle();
        sealed_ = true;
        return beside_.stamp();
    }

    /// Gives the content that is there now a second name, in place of what has that name. The file itself stays where
    /// it is, and at every instant both names hold a whole one. To be followed by `commit`.
    void keep_former_as(const std::filesystem::path& name) {
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
    /// Returns the file, still open and locked.
    file commit(bool durable) {
        if (!sealed_)
            seal(durable);
        if (::rename(name_.c_str(), target_.c_str()) != 0)
            throw io_error(target_, "cannot replace", detail::last_error());
        return committed(durable);
    }

    /// The same where the name must still be free.
    /// @throws io_error  with `std::errc::file_exists`: somebody else was first
    file commit_new(bool durable) {
        if (!sealed_)
            seal(durable);
#if defined(RENAME_NOREPLACE)
        if (::renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) == 0)
            return committed(durable);
        if (errno != EINVAL && errno != ENOSYS)
            throw io_error(target_, "cannot create", detail::last_error());
#endif
        if (::link(name_.c_str(), target_.c_str()) != 0)
            throw io_error(target_, "cannot create", detail::last_error());
        ::unlink(name_.c_str());
        return committed(durable);
    }

  private:
    void copy_to(const std::filesystem::path& name) {
        auto copy = file::create_exclusive(name);
        if (!copy)
            throw io_error(name, "cannot create", std::make_error_code(std::errc::file_exists));
        const file from = file::open(target_);
        copy->copy(from, 0, 0, from.size());
        copy->sync();
    }

    [[nodiscard]] file committed(bool durable) {
        file done = std::move(beside_);  // so that the destructor has nothing to unlink
        if (durable)
            sync_directory(target_.parent_path());
        return done;
    }

    bool sealed_ = false;
};

}  // namespace ndkeep
