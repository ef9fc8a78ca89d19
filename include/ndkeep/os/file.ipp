// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/file.hpp>.
#pragma once

#include <ndkeep/os/file.hpp>

#include <algorithm>

#include <fcntl.h>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

NDKEEP_INLINE std::error_code last_error() noexcept { return {errno, std::system_category()}; }

NDKEEP_INLINE std::span<const std::byte> bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace core

NDKEEP_INLINE file& file::operator=(file&& other) noexcept {
    file old(std::move(*this));  // closes the former descriptor at the end of the function
    descriptor_ = std::exchange(other.descriptor_, -1);
    size_at_opening_ = other.size_at_opening_;
    path_ = std::move(other.path_);
    return *this;
}

NDKEEP_INLINE file::~file() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

NDKEEP_INLINE file file::open(const std::filesystem::path& path, access wanted) {
    // O_NONBLOCK: otherwise the open of a pipe waits for its other end. Regular files ignore the flag. O_CLOEXEC:
    // programs that the user starts must not inherit the file and its lock.
    const int flags = (wanted == access::read ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK;
    file opened = open_with(path, flags, "cannot open");
    opened.check_regular();
    return opened;
}

NDKEEP_INLINE std::optional<file> file::open_if_regular(const std::filesystem::path& path) {
    const auto is_absent = [] {
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG;
    };
    // Look before opening: the open of a device can have side effects.
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (is_absent())
            return std::nullopt;
        throw io_error(path, "cannot look at", detail::last_error());
    }
    if (!S_ISREG(status.st_mode))
        return std::nullopt;
    constexpr int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    const int descriptor = detail::retried([&] { return ::open(path.c_str(), flags); });
    if (descriptor < 0 && is_absent())
        return std::nullopt;  // removed, or replaced by a link, since lstat
    if (descriptor < 0)
        throw io_error(path, "cannot open", detail::last_error());
    file opened(descriptor, path);
    opened.check_regular();  // again: the name may lead to another file since lstat
    return opened;
}

NDKEEP_INLINE std::optional<file> file::create_exclusive(const std::filesystem::path& path,
                                                         const std::filesystem::path& called, mode_t mode) {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const int descriptor = detail::retried([&] { return ::open(path.c_str(), flags, mode); });
    if (descriptor < 0 && errno == EEXIST)
        return std::nullopt;
    if (descriptor < 0) {
        const auto why = detail::last_error();
        struct stat status = {};
        // The directory refuses, and not the file: it may exist and be writable.
        if ((why == std::errc::permission_denied || why == std::errc::read_only_file_system) && path != called &&
            ::stat(called.c_str(), &status) == 0)
            throw io_error(called, "cannot create a file beside it, which a replacement needs", why);
        throw io_error(called, "cannot create", why);
    }
    return file(descriptor, called);
}

NDKEEP_INLINE std::optional<file> file::create_exclusive(const std::filesystem::path& path) {
    return create_exclusive(path, path);
}

NDKEEP_INLINE std::optional<file> file::open_leftover(const std::filesystem::path& path) {
    // A lock needs no write access, so the file of another user is opened for reading.
    constexpr int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    int descriptor = detail::retried([&] { return ::open(path.c_str(), O_RDWR | flags); });
    if (descriptor < 0 && (errno == EACCES || errno == EROFS))
        descriptor = detail::retried([&] { return ::open(path.c_str(), O_RDONLY | flags); });
    if (descriptor < 0)
        return std::nullopt;
    return file(descriptor, path);
}

NDKEEP_INLINE struct stat file::status() const {
    struct stat status = {};
    if (::fstat(descriptor_, &status) != 0)
        fail("cannot look at");
    return status;
}

NDKEEP_INLINE std::size_t file::read_some(std::uint64_t offset, std::span<std::byte> out) const {
    // pread may return less than was asked for, and not only at the end. Only 0 means the end.
    std::size_t done = 0;
    while (done < out.size()) {
        const auto count = detail::retried([&] {
            return ::pread(descriptor_, out.data() + done, std::min(out.size() - done, longest_call),
                           static_cast<off_t>(offset + done));
        });
        if (count < 0)
            fail("cannot read");
        if (count == 0)
            break;
        done += static_cast<std::size_t>(count);
    }
    return done;
}

NDKEEP_INLINE void file::read(std::uint64_t offset, std::span<std::byte> out) const {
    const std::size_t done = read_some(offset, out);
    if (done != out.size())
        throw format_error({.file = path_,
                            .field = "length",
                            .expected = "at least " + counted(offset + out.size(), "byte"),
                            .found = counted(offset + done, "byte"),
                            .hint = "the file is cut short"});
}

NDKEEP_INLINE void file::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    // A short count is not an error yet: a disk that fills up reports it at the next call.
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto count = detail::retried([&] {
            return ::pwrite(descriptor_, bytes.data() + done, std::min(bytes.size() - done, longest_call),
                            static_cast<off_t>(offset + done));
        });
        if (count < 0)
            fail("cannot write");
        // No file system should do that; one that does must not keep the caller here.
        if (count == 0)
            throw io_error(path_, "cannot write", std::make_error_code(std::errc::io_error));
        done += static_cast<std::size_t>(count);
    }
}

NDKEEP_INLINE void file::copy(const file& from, std::uint64_t from_offset, std::uint64_t offset, std::uint64_t length) {
#if defined(__linux__)
    while (length != 0) {
        auto in = static_cast<off_t>(from_offset);
        auto out = static_cast<off_t>(offset);
        const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(length, longest_call));
        const auto count =
            detail::retried([&] { return ::copy_file_range(from.descriptor_, &in, descriptor_, &out, most, 0); });
        // These errors concern the disk and would occur again. For all others, copying through memory may work.
        if (count < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG))
            fail("cannot write");
        if (count <= 0)
            break;  // not supported between these file systems; or `from` has ended, which `read` below reports
        from_offset += static_cast<std::uint64_t>(count);
        offset += static_cast<std::uint64_t>(count);
        length -= static_cast<std::uint64_t>(count);
    }
#endif
    // Whatever the kernel did not copy goes through memory.
    constexpr std::uint64_t block = std::uint64_t{1} << 20;
    std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(block, length)));
    while (length != 0) {
        bytes.resize(static_cast<std::size_t>(std::min(block, length)));
        from.read(from_offset, bytes);
        write(offset, bytes);
        from_offset += bytes.size();
        offset += bytes.size();
        length -= bytes.size();
    }
}

NDKEEP_INLINE void file::touch() noexcept { (void)::futimens(descriptor_, nullptr); }

NDKEEP_INLINE void file::set_mode(mode_t mode) noexcept { (void)::fchmod(descriptor_, mode & 0777); }

NDKEEP_INLINE void file::resize(std::uint64_t size) {
    if (detail::retried([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0)
        fail("cannot resize");
}

NDKEEP_INLINE bool file::reserve(std::uint64_t size) { return allocate(0, 0, size); }

NDKEEP_INLINE bool file::reserve(std::uint64_t offset, std::uint64_t length) {
#if defined(FALLOC_FL_KEEP_SIZE)
    return allocate(FALLOC_FL_KEEP_SIZE, offset, length);
#else
    return allocate(0, offset, length);
#endif
}

NDKEEP_INLINE bool file::allocate([[maybe_unused]] int flags, [[maybe_unused]] std::uint64_t offset,
                                  std::uint64_t length) {
    if (length == 0)
        return true;
#if defined(__linux__)
    // Not posix_fallocate: if the file system cannot reserve, glibc writes a byte into every block instead.
    if (detail::retried([&] {
            return ::fallocate(descriptor_, flags, static_cast<off_t>(offset), static_cast<off_t>(length));
        }) == 0)
        return true;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        fail("cannot reserve " + counted(length, "byte"));
#endif
    return false;
}

NDKEEP_INLINE void file::sync() const {
    if (::fsync(descriptor_) != 0)
        fail("cannot sync");
}

NDKEEP_INLINE void file::sync_data() const {
#if defined(__linux__)
    if (::fdatasync(descriptor_) != 0)
        fail("cannot sync");
#else
    sync();
#endif
}

NDKEEP_INLINE void file::settle() const {
    // NFS and quotas report errors when any descriptor of the file is closed, so closing a duplicate is enough. If no
    // descriptor is free, the errors appear at the last close.
    const int copy = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0 && ::close(copy) != 0 && errno != EINTR)
        fail("cannot close");
}

NDKEEP_INLINE bool file::try_lock(int operation) const {
    if (detail::retried([&] { return ::flock(descriptor_, operation | LOCK_NB); }) == 0)
        return true;
    if (errno != EWOULDBLOCK)
        fail("cannot lock");
    return false;
}

NDKEEP_INLINE void file::close() {
    // Forget the descriptor first and never retry: on Linux it is closed even after an error or EINTR, and its number
    // may belong to a file of another thread by then.
    const int descriptor = std::exchange(descriptor_, -1);
    if (descriptor >= 0 && ::close(descriptor) != 0 && errno != EINTR)
        fail("cannot close");
}

NDKEEP_INLINE file file::open_with(const std::filesystem::path& path, int flags, std::string_view what) {
    const int descriptor = detail::retried([&] { return ::open(path.c_str(), flags); });
    if (descriptor < 0)
        throw io_error(path, what, detail::last_error());
    return file(descriptor, path);
}

NDKEEP_INLINE void file::check_regular() {
    const auto now = status();
    const auto mode = now.st_mode;
    size_at_opening_ = static_cast<std::uint64_t>(now.st_size);
    if (S_ISDIR(mode))
        throw io_error(path_, "cannot open", std::make_error_code(std::errc::is_a_directory));
    if (!S_ISREG(mode))
        throw io_error(path_, "cannot open: not a regular file", std::make_error_code(std::errc::not_supported));
}

NDKEEP_INLINE std::vector<std::string> names_in(const std::filesystem::path& directory) {
    std::error_code failed;
    std::filesystem::directory_iterator entries(directory.empty() ? "." : directory, failed);
    std::vector<std::string> names;
    for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed))
        names.push_back(entries->path().filename().string());
    if (failed)
        throw io_error(directory, "cannot list", failed);
    return names;
}

NDKEEP_INLINE bool is_file(const std::filesystem::path& path) noexcept {
    std::error_code none;
    return std::filesystem::is_regular_file(path, none);
}

NDKEEP_INLINE bool errors_go_to_terminal() noexcept { return ::isatty(STDERR_FILENO) == 1; }

NDKEEP_INLINE void sync_directory(const std::filesystem::path& directory) {
    const auto named = directory.empty() ? std::filesystem::path(".") : directory;
    const int descriptor = detail::retried([&] { return ::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor < 0)
        throw io_error(named, "cannot open", detail::last_error());
    const bool synced = ::fsync(descriptor) == 0;
    const auto why = detail::last_error();  // before close changes `errno`
    ::close(descriptor);
    // EINVAL: the file system has no directory syncs, so there is nothing to wait for.
    if (!synced && why.value() != EINVAL)
        throw io_error(named, "cannot sync", why);
}

}  // namespace ndkeep
