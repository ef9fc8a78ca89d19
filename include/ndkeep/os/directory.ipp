// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/directory.hpp>.
#pragma once

#include <ndkeep/os/directory.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/locks/waiting.hpp>
#include <ndkeep/os/names.hpp>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE directory& directory::operator=(directory&& other) noexcept {
    directory old(std::move(*this));  // closes the former descriptor at the end of the function
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
    // Create first and ask afterwards: a check before would race with another process that creates it.
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
        // Linux gives ENOTDIR for a link to a directory, which would mislead the reader of the error.
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
    // The umask of the first user must not lock out the others. A failure is ignored: they then do without the file.
    struct stat status = {};
    if (::fstat(descriptor_, &status) == 0)
        (void)::fchmod(descriptor, status.st_mode & 0666);
}

NDKEEP_INLINE file directory::create_file(const std::string& name) {
    check_name(name);
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int descriptor = detail::retried([&] { return ::openat(descriptor_, name.c_str(), flags, 0666); });
    if (descriptor < 0)
        throw io_error(path_ / name, "cannot create", detail::last_error());
    return {descriptor, path_ / name};
}

NDKEEP_INLINE std::optional<struct stat> directory::status_of(const std::string& name) const {
    check_name(name);
    struct stat status = {};
    if (::fstatat(descriptor_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
        return status;
    if (errno == ENOENT)
        return std::nullopt;
    throw io_error(path_ / name, "cannot look at", detail::last_error());
}

NDKEEP_INLINE void directory::rename(const std::string& from, directory& into, const std::string& to) {
    check_name(from);
    into.check_name(to);
    if (::renameat(descriptor_, from.c_str(), into.descriptor_, to.c_str()) != 0)
        throw io_error(into.path_ / to, "cannot rename " + ndkeep::quoted((path_ / from).string()) + " to",
                       detail::last_error());
}

NDKEEP_INLINE bool directory::lock_within(std::chrono::milliseconds patience) const {
    // flock(2), because it also locks a descriptor that is open for reading only, as those of directories are.
    return detail::asked_within(patience, [&] {
               if (detail::retried([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0)
                   return detail::attempt::succeeded;
               return errno == EWOULDBLOCK ? detail::attempt::refused : detail::attempt::failed;
           }) == detail::attempt::succeeded;
}

NDKEEP_INLINE std::optional<file> directory::open_file(const std::string& name, file::access wanted) const {
    check_name(name);
    // O_NOFOLLOW: a planted link must not redirect reads or writes. O_NONBLOCK: the open of a pipe must not wait.
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
                                  durability wanted) {
    check_name(name);
    // An unnamed file first: a killed process leaves nothing to clean up. The final name is never opened with O_EXCL
    // and written in place, because readers would see a part of the content.
    if (auto unnamed = unnamed_file(name)) {
        write(*unnamed, parts, wanted);
        if (const auto linked = link_unnamed(*unnamed, name))
            return *linked;
    }
    // No unnamed files on this file system, or no way to name them (no /proc): use a temporary name.
    std::string temporary;
    file made = named_file(name, temporary);
    struct removed {
        ~removed() { ::unlinkat(of, name.c_str(), 0); }
        int of;
        const std::string& name;
    };
    // After success as well: a link leaves the temporary name in place. After a rename there is nothing to remove.
    const removed at_the_end{descriptor_, temporary};
    write(made, parts, wanted);
    return link_named(temporary, name);
}

NDKEEP_INLINE std::vector<std::string> directory::names() const {
    // By the descriptor, because the path may lead elsewhere by now. Opened again instead of duplicated, because a
    // duplicate would share its read position with other listings.
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
    errno = 0;  // readdir returns null both at the end and for an error; only `errno` differs
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

NDKEEP_INLINE bool directory::remove_folder(const std::string& name) {
    check_name(name);
    if (::unlinkat(descriptor_, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT)
        return true;
    // POSIX allows either of the first two for a directory that is not empty.
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return false;
    throw io_error(path_ / name, "cannot remove", detail::last_error());
}

NDKEEP_INLINE void directory::remove_tree(const std::string& name) {
    check_name(name);
    if (::unlinkat(descriptor_, name.c_str(), 0) == 0 || errno == ENOENT)
        return;
    // Linux gives EISDIR for a directory, POSIX asks for EPERM.
    const auto why = detail::last_error();
    if (errno != EISDIR && errno != EPERM)
        throw io_error(path_ / name, "cannot remove", why);
    auto inner = open_folder(name);
    if (!inner)
        return;
    for (const auto& each : inner->names())
        inner->remove_tree(each);
    if (!remove_folder(name))
        throw io_error(path_ / name, "cannot remove", std::make_error_code(std::errc::directory_not_empty));
}

NDKEEP_INLINE bool directory::is_at(const std::filesystem::path& path) const noexcept {
    struct stat own = {}, there = {};
    return ::fstat(descriptor_, &own) == 0 && ::stat(path.c_str(), &there) == 0 && own.st_dev == there.st_dev &&
           own.st_ino == there.st_ino;
}

NDKEEP_INLINE void directory::sync() const {
    // Nothing to wait for. EINVAL: the file system has no directory syncs. EROFS: it is read-only.
    if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS)
        throw io_error(path_, "cannot sync", detail::last_error());
}

NDKEEP_INLINE void directory::check_name(const std::string& name) const {
    // A zero byte counts as well: the system would see a shorter name than the one that was checked.
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos)
        throw io_error(path_, "cannot use " + ndkeep::quoted(name) + " as a name",
                       std::make_error_code(std::errc::invalid_argument));
}

NDKEEP_INLINE void directory::write(file& to, std::span<const std::span<const std::byte>> parts, durability wanted) {
    std::uint64_t size = 0, offset = 0;
    for (const auto part : parts)
        size += part.size();
    // Reserve space first: a full disk is reported before anything is written, and the blocks are contiguous. For less
    // than 1 MiB the extra call is not worth it.
    constexpr std::uint64_t worth_it = std::uint64_t{1} << 20;
    if (size >= worth_it)
        (void)to.reserve(size);
    for (const auto part : parts) {
        to.write(offset, part);
        offset += part.size();
    }
    // Before the file gets its name, so that the name never leads to content that a power cut can still take away.
    // Without sync, at least late write errors (NFS, quota) are found before anybody can see the file.
    if (wanted == durability::on_disk)
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
    // EOPNOTSUPP comes from the file system. EISDIR and ENOENT come from kernels that do not know the flag (open(2)).
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL)
        throw io_error(path_ / name, "cannot create", detail::last_error());
#endif
    return std::nullopt;
}

NDKEEP_INLINE std::optional<bool> directory::link_unnamed(const file& made, const std::string& name) const {
    // The way that open(2) describes for O_TMPFILE. It needs /proc and no privilege.
    const std::string unnamed = "/proc/self/fd/" + std::to_string(made.descriptor());
    if (::linkat(AT_FDCWD, unnamed.c_str(), descriptor_, name.c_str(), AT_SYMLINK_FOLLOW) == 0)
        return true;
    if (errno == EEXIST)
        return false;
    const auto why = detail::last_error();
    if (errno == ENOENT || errno == EACCES || errno == EPERM || errno == ENOTDIR || errno == ELOOP) {
        // Probably no /proc. On most kernels only the superuser may link by descriptor.
#if defined(AT_EMPTY_PATH)
        if (::linkat(made.descriptor(), "", descriptor_, name.c_str(), AT_EMPTY_PATH) == 0)
            return true;
        if (errno == EEXIST)
            return false;
#endif
        // Remember only a missing /proc: other reasons may belong to this one directory.
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
    for (;;) {  // each time with new random digits, until the name is unused
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
    // linkat fails if the name exists; plain rename would silently replace another writer's file.
    if (::linkat(descriptor_, temporary.c_str(), descriptor_, name.c_str(), 0) == 0)
        return true;
#if defined(RENAME_NOREPLACE)
    // The file system has no hard links.
    if ((errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) &&
        ::renameat2(descriptor_, temporary.c_str(), descriptor_, name.c_str(), RENAME_NOREPLACE) == 0)
        return true;
#endif
    if (errno == EEXIST)
        return false;
    throw io_error(path_ / name, "cannot create exclusively", detail::last_error());
}

}  // namespace ndkeep
