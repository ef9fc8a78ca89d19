// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/directory.hpp>.
#pragma once

#include <ndkeep/os/directory.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/os/waiting.hpp>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE directory& directory::operator=(directory&& other) noexcept {
    directory old(std::move(*this));
    descriptor_ = std::exchange(other.descriptor_, -1);
    path_ = std::move(other.path_);
    return *this;
}

NDKEEP_INLINE directory::~directory() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

NDKEEP_INLINE std::optional<directory> directory::open(const std::filesystem::path& path) {
    const auto named = path.empty() ? std::filesystem::path(".") : path;
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    const int descriptor = detail::retried([&] { return ::open(named.c_str(), flags); });
    if (descriptor < 0 && errno == ENOENT)
        return std::nullopt;
    if (descriptor < 0)
        throw io_error(path, "cannot open", detail::last_error());
    return directory(descriptor, path);
}

NDKEEP_INLINE directory directory::create(const std::filesystem::path& path, bool& is_new) {
    if (::mkdir(path.c_str(), 0777) == 0)
        is_new = true;
    else if (errno != EEXIST)
        throw io_error(path, "cannot create", detail::last_error());
    if (auto opened = open(path))
        return std::move(*opened);
    throw io_error(path, "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
}

NDKEEP_INLINE std::optional<directory> directory::open_folder(const std::string& name) const {
    check_name(name);
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const int descriptor = detail::retried([&] { return ::openat(descriptor_, name.c_str(), flags); });
    if (descriptor < 0 && errno == ENOENT)
        return std::nullopt;
    if (descriptor < 0) {
        const auto why = detail::last_error();
        struct stat status = {};
        const bool is_link =
            ::fstatat(descriptor_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
        throw io_error(path_ / name, is_link ? "cannot open: a symbolic link is not followed here" : "cannot open",
                       why);
    }
    return directory(descriptor, path_ / name);
}

NDKEEP_INLINE directory directory::create_folder(const std::string& name, bool& is_new) {
    check_name(name);
    if (::mkdirat(descriptor_, name.c_str(), 0777) == 0)
        is_new = true;
    else if (errno != EEXIST)
        throw io_error(path_ / name, "cannot create", detail::last_error());
    if (auto opened = open_folder(name))
        return std::move(*opened);
    throw io_error(path_ / name, "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
}

NDKEEP_INLINE void directory::create_shared_file(const std::string& name) {
    check_name(name);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int descriptor = detail::retried([&] { return ::openat(descriptor_, name.c_str(), flags, 0666); });
    if (descriptor < 0 && errno == EEXIST)
        return;
    if (descriptor < 0)
        throw io_error(path_ / name, "cannot create", detail::last_error());
    const file made(descriptor, path_ / name);
    struct stat status = {};
    if (::fstat(descriptor_, &status) == 0)
        (void)::fchmod(descriptor, status.st_mode & 0666);
}

NDKEEP_INLINE bool directory::lock_within(std::chrono::milliseconds patience) const {
    return detail::asked_within(patience, [&] {
               if (detail::retried([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0)
                   return detail::attempt::succeeded;
               return errno == EWOULDBLOCK ? detail::attempt::refused : detail::attempt::failed;
           }) == detail::attempt::succeeded;
}

NDKEEP_INLINE std::optional<file> directory::open_file(const std::string& name, file::access wanted) const {
    check_name(name);
    const int flags = (wanted == file::access::read ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const int descriptor = detail::retried([&] { return ::openat(descriptor_, name.c_str(), flags); });
    if (descriptor < 0 && errno == ENOENT)
        return std::nullopt;
    if (descriptor < 0)
        throw io_error(path_ / name, "cannot open", detail::last_error());
    file opened(descriptor, path_ / name);
    opened.check_regular();
    return opened;
}

NDKEEP_INLINE bool directory::put(const std::string& name, std::span<const std::span<const std::byte>> parts,
                                  bool durable) {
    check_name(name);
    if (auto unnamed = unnamed_file(name)) {
        write(*unnamed, parts, durable);
        if (const auto linked = link_unnamed(*unnamed, name))
            return *linked;
    }
    // No files without a name here, or nothing that gives them one (/proc): under a temporary name, then.
    std::string temporary;
    file made = named_file(name, temporary);
    struct removed {
        ~removed() { ::unlinkat(of, name.c_str(), 0); }
        int of;
        const std::string& name;
    };
    const removed at_the_end{descriptor_, temporary};
    write(made, parts, durable);
    return link_named(temporary, name);
}

NDKEEP_INLINE std::vector<std::string> directory::names() const {
    // By the descriptor: the path may lead elsewhere by now.
    const int again = detail::retried([&] { return ::openat(descriptor_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    DIR* const listing = again < 0 ? nullptr : ::fdopendir(again);
    if (listing == nullptr) {
        const auto why = detail::last_error();
        if (again >= 0)
            ::close(again);
        throw io_error(path_, "cannot list", why);
    }
    struct closed {
        ~closed() { ::closedir(listing); }
        DIR* listing;
    };
    const closed at_the_end{listing};
    std::vector<std::string> all;
    errno = 0;
    while (const dirent* const entry = ::readdir(listing)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..")
            all.emplace_back(name);
        errno = 0;
    }
    if (errno != 0)
        throw io_error(path_, "cannot list", detail::last_error());
    return all;
}

NDKEEP_INLINE void directory::remove(const std::string& name) {
    check_name(name);
    if (::unlinkat(descriptor_, name.c_str(), 0) != 0 && errno != ENOENT)
        throw io_error(path_ / name, "cannot remove", detail::last_error());
}

NDKEEP_INLINE void directory::sync() const {
    // File systems without directory syncs say so with EINVAL, read-only ones with EROFS: nothing to wait for then.
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS)
        throw io_error(path_, "cannot sync", detail::last_error());
}

NDKEEP_INLINE void directory::check_name(const std::string& name) const {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos)
        throw io_error(path_, "cannot use " + ndkeep::quoted(name) + " as a name",
                       std::make_error_code(std::errc::invalid_argument));
}

NDKEEP_INLINE void directory::write(file& to, std::span<const std::span<const std::byte>> parts, bool durable) {
    std::uint64_t size = 0, offset = 0;
    for (const auto part : parts)
        size += part.size();
    // A full disk is reported before the work, and the blocks are contiguous.
    constexpr std::uint64_t worth_it = std::uint64_t{1} << 20;
    if (size >= worth_it)
        (void)to.reserve(size);
    for (const auto part : parts) {
        to.write(offset, part);
        offset += part.size();
    }
    if (durable)
        to.sync();
    else
        to.settle();
}

NDKEEP_INLINE std::optional<file> directory::unnamed_file(const std::string& name) const {
#if defined(O_TMPFILE)
    if (cannot_link_unnamed())
        return std::nullopt;
    const int unnamed =
        detail::retried([&] { return ::openat(descriptor_, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666); });
    if (unnamed >= 0)
        return file(unnamed, path_ / name);
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
        throw io_error(path_ / name, "cannot create", detail::last_error());
#endif
    return std::nullopt;
}

NDKEEP_INLINE std::optional<bool> directory::link_unnamed(const file& made, const std::string& name) const {
    const std::string unnamed = "/proc/self/fd/" + std::to_string(made.descriptor());
    if (::linkat(AT_FDCWD, unnamed.c_str(), descriptor_, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
        return true;
    if (errno == EEXIST)
        return false;
    const auto why = detail::last_error();
    if (errno == ENOENT || errno == EACCES || errno == EPERM || errno == ENOTDIR || errno == ELOOP) {
        // Without /proc. By the descriptor only the superuser may, on most kernels.
#if defined(AT_EMPTY_PATH)
        if (::linkat(made.descriptor(), "", descriptor_, name.c_str(), AT_EMPTY_PATH) == 0)
            return true;
        if (errno == EEXIST)
            return false;
#endif
        cannot_link_unnamed() = ::access("/proc/self/fd", X_OK) != 0;
        return std::nullopt;
    }
    throw io_error(path_ / name, "cannot create exclusively", why);
}

NDKEEP_INLINE std::atomic<bool>& directory::cannot_link_unnamed() noexcept {
    static std::atomic<bool> cannot = false;
    return cannot;
}

NDKEEP_INLINE file directory::named_file(const std::string& name, std::string& temporary) const {
    for (;;) {
        temporary = detail::temporary_name(name);
        const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        const int descriptor = detail::retried([&] { return ::openat(descriptor_, temporary.c_str(), flags, 0666); });
        if (descriptor >= 0)
            return {descriptor, path_ / name};
        if (errno != EEXIST)
            throw io_error(path_ / name, "cannot create", detail::last_error());
    }
}

NDKEEP_INLINE bool directory::link_named(const std::string& temporary, const std::string& name) const {
    if (::linkat(descriptor_, temporary.c_str(), descriptor_, name.c_str(), 0) == 0)
        return true;
#if defined(RENAME_NOREPLACE)
    // A file system without second names.
    if ((errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) &&
        ::renameat2(descriptor_, temporary.c_str(), descriptor_, name.c_str(), RENAME_NOREPLACE) == 0)
        return true;
#endif
    if (errno == EEXIST)
        return false;
    throw io_error(path_ / name, "cannot create exclusively", detail::last_error());
}

}  // namespace ndkeep
