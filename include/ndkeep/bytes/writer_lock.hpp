// SPDX-License-Identifier: BSD-3-Clause
// The right to write one file name, by the lock of a name beside it.
#pragma once

#include <ndkeep/bytes/names.hpp>

namespace ndkeep {

namespace detail {

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

}  // namespace ndkeep
