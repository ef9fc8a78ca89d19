// SPDX-License-Identifier: BSD-3-Clause
// Files of bytes: open, read, write, reserve, sync. What needs no descriptor is in other headers of bytes/.
#pragma once

#include <ndkeep/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <cerrno>
#include <fcntl.h>     // open, fallocate: POSIX, no C++ name for them
#include <sys/file.h>  // flock
#include <sys/stat.h>
#include <unistd.h>

namespace ndkeep {

/// Size in bytes and time of the last change: enough to see that a file is not the one described.
struct file_stamp {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;  ///< nanoseconds since 1970, modulo 2^64: they pass the largest number in the year 2262
    friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

namespace detail {

[[nodiscard]] inline std::error_code last_error() noexcept { return {errno, std::system_category()}; }

/// Text as the bytes it is written in.
[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

template <class Call>
[[nodiscard]] auto retried(Call&& call) {
    auto result = call();
    while (result == -1 && errno == EINTR)
        result = call();
    return result;
}

[[nodiscard]] constexpr file_stamp stamp_of(const struct stat& status) noexcept {
#if defined(__APPLE__)
    const auto& changed = status.st_mtimespec;
#else
    const auto& changed = status.st_mtim;
#endif
    // Unsigned, because signed overflow is undefined. Different times remain different for 584 years.
    const auto nanoseconds =
        static_cast<std::uint64_t>(changed.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(changed.tv_nsec);
    return {static_cast<std::uint64_t>(status.st_size), static_cast<std::int64_t>(nanoseconds)};
}

}  // namespace detail

/// A regular file, held open. Offsets and lengths are bytes; every call is whole or throws.
///
/// The destructor closes without looking; call `close()` where a late error (NFS, quota) would lose data.
class file {
  public:
    enum class access { read, read_write };

    file() = default;
    file(file&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), size_at_opening_(other.size_at_opening_),
          path_(std::move(other.path_)) {}
    file& operator=(file&& other) noexcept {
        file old(std::move(*this));
        descriptor_ = std::exchange(other.descriptor_, -1);
        size_at_opening_ = other.size_at_opening_;
        path_ = std::move(other.path_);
        return *this;
    }
    ~file() {
        if (descriptor_ >= 0)
            ::close(descriptor_);
    }

    /// Opens a regular file that exists.
    /// @throws io_error  it does not exist, may not be opened, or is a directory, pipe or device
    [[nodiscard]] static file open(const std::filesystem::path& path, access wanted = access::read) {
        // Without O_NONBLOCK, opening a pipe would wait for its other end.
        const int flags = (wanted == access::read ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK;
        file opened = open_with(path, flags, "cannot open");
        opened.check_regular();
        return opened;
    }

    /// Opens a regular file for reading; nullopt if the name is free or not that of a regular file: a link is not
    /// followed.
    /// @throws io_error  a regular file that may not be opened, or the system does not tell whether there is one
    [[nodiscard]] static std::optional<file> open_if_regular(const std::filesystem::path& path) {
        const auto is_absent = [] {
            return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG;
        };
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
            return std::nullopt;  // removed since
        if (descriptor < 0)
            throw io_error(path, "cannot open", detail::last_error());
        file opened(descriptor, path);
        opened.check_regular();
        return opened;
    }

    /// Creates an empty file under a name that must not exist; nullopt when it does.
    /// @param called  what errors name
    [[nodiscard]] static std::optional<file> create_exclusive(const std::filesystem::path& path,
                                                              const std::filesystem::path& called) {
        const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        const int descriptor = detail::retried([&] { return ::open(path.c_str(), flags, 0666); });
        if (descriptor < 0 && errno == EEXIST)
            return std::nullopt;
        if (descriptor < 0)
            throw io_error(called, "cannot create", detail::last_error());
        return file(descriptor, called);
    }

    [[nodiscard]] static std::optional<file> create_exclusive(const std::filesystem::path& path) {
        return create_exclusive(path, path);
    }

    /// Opens what is present, without following a last symbolic link, for writing if that is permitted; nullopt with
    /// `errno` when it cannot be opened.
    [[nodiscard]] static std::optional<file> open_leftover(const std::filesystem::path& path) {
        constexpr int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
        int descriptor = detail::retried([&] { return ::open(path.c_str(), O_RDWR | flags); });
        if (descriptor < 0 && (errno == EACCES || errno == EROFS))
            descriptor = detail::retried([&] { return ::open(path.c_str(), O_RDONLY | flags); });
        if (descriptor < 0)
            return std::nullopt;
        return file(descriptor, path);
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// What errors call it from now on.
    void call(std::filesystem::path name) { path_ = std::move(name); }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
    /// For the mapping floor and for locks; still owned by this object.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

    [[nodiscard]] struct stat status() const {
        struct stat status = {};
        if (::fstat(descriptor_, &status) != 0)
            fail("cannot look at");
        return status;
    }
    [[nodiscard]] file_stamp stamp() const { return detail::stamp_of(status()); }
    [[nodiscard]] std::uint64_t size() const { return stamp().size; }
    /// Costs nothing, and may be out of date. Of a file that `open` opened; 0 of others.
    [[nodiscard]] std::uint64_t size_at_opening() const noexcept { return size_at_opening_; }

    /// Reads up to `out.size()` bytes; fewer only at the end of the file.
    [[nodiscard]] std::size_t read_some(std::uint64_t offset, std::span<std::byte> out) const {
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

    /// Fills `out`.
    /// @throws format_error  the file ends before; it may have shrunk since it was measured
    void read(std::uint64_t offset, std::span<std::byte> out) const {
        const std::size_t done = read_some(offset, out);
        if (done != out.size())
            throw format_error({.file = path_,
                                .field = "length",
                                .expected = "at least " + counted(offset + out.size(), "byte"),
                                .found = counted(offset + done, "byte"),
                                .hint = "the file is cut short"});
    }

    void write(std::uint64_t offset, std::span<const std::byte> bytes) {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const auto count = detail::retried([&] {
                return ::pwrite(descriptor_, bytes.data() + done, std::min(bytes.size() - done, longest_call),
                                static_cast<off_t>(offset + done));
            });
            if (count < 0)
                fail("cannot write");
            done += static_cast<std::size_t>(count);
        }
    }

    /// Takes over `length` bytes of another file; without their passing through this process, where the system can.
    void copy(const file& from, std::uint64_t from_offset, std::uint64_t offset, std::uint64_t length) {
#if defined(__linux__)
        while (length != 0) {
            auto in = static_cast<off_t>(from_offset);
            auto out = static_cast<off_t>(offset);
            const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(length, longest_call));
            const auto count =
                detail::retried([&] { return ::copy_file_range(from.descriptor_, &in, descriptor_, &out, most, 0); });
            if (count < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG))
                fail("cannot write");
            if (count <= 0)
                break;  // not between these file systems; or the end, of which read says what is missing
            from_offset += static_cast<std::uint64_t>(count);
            offset += static_cast<std::uint64_t>(count);
            length -= static_cast<std::uint64_t>(count);
        }
#endif
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

    /// Cuts or extends the file; what is new reads as zeros and takes no room on the disk.
    void resize(std::uint64_t size) {
        if (detail::retried([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0)
            fail("cannot resize");
    }

    /// Takes the room for `size` bytes now, so that a full disk is an error here and not later. The file becomes at
    /// least that long. Returns false where the file system cannot promise room.
    /// @throws io_error  the disk or the quota has not that much room
    [[nodiscard]] bool reserve(std::uint64_t size) {
        if (size == 0)
            return true;
#if defined(__linux__)
        // Not posix_fallocate: where the file system has no such call, it writes one byte into every block instead.
        if (detail::retried([&] { return ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size)); }) == 0)
            return true;
        if (errno != EOPNOTSUPP && errno != ENOSYS)
            fail("cannot reserve " + counted(size, "byte"));
#endif
        return false;
    }

    /// Returns when the bytes are on the disk as far as the operating system can tell.
    /// @throws io_error  and the state of the file is then unknown: a failed sync is never to be retried
    void sync() const {
        if (::fsync(descriptor_) != 0)
            fail("cannot sync");
    }

    /// Hears of write errors that the system reports only at close (NFS, quota), and stays open.
    void settle() const {
        const int copy = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
        if (copy >= 0 && ::close(copy) != 0 && errno != EINTR)
            fail("cannot close");
    }

    /// Locks the whole file exclusively, without waiting, against every other open description of it and whatever users
    /// they belong to; no right to write is needed. False where another has the lock. Held until `unlock`, or until the
    /// last copy of the descriptor is closed: a forked child holds one.
    /// @throws io_error  the file system cannot lock
    [[nodiscard]] bool try_lock() const {
        if (detail::retried([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0)
            return true;
        if (errno != EWOULDBLOCK)
            fail("cannot lock");
        return false;
    }
    void unlock() const noexcept { (void)::flock(descriptor_, LOCK_UN); }

    void close() {
        const int descriptor = std::exchange(descriptor_, -1);
        if (descriptor >= 0 && ::close(descriptor) != 0 && errno != EINTR)
            fail("cannot close");
    }

    [[noreturn]] void fail(std::string_view what) const { throw io_error(path_, what, detail::last_error()); }

  private:
    friend class directory;

    // Linux moves at most 0x7ffff000 bytes a call; a round number below keeps the rest aligned.
    static constexpr std::size_t longest_call = std::size_t{1} << 30;

    file(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}

    [[nodiscard]] static file open_with(const std::filesystem::path& path, int flags, std::string_view what) {
        const int descriptor = detail::retried([&] { return ::open(path.c_str(), flags); });
        if (descriptor < 0)
            throw io_error(path, what, detail::last_error());
        return file(descriptor, path);
    }

    void check_regular() {
        const auto now = status();
        const auto mode = now.st_mode;
        size_at_opening_ = static_cast<std::uint64_t>(now.st_size);
        if (S_ISDIR(mode))
            throw io_error(path_, "cannot open", std::make_error_code(std::errc::is_a_directory));
        if (!S_ISREG(mode))
            throw io_error(path_, "cannot open: not a regular file", std::make_error_code(std::errc::not_supported));
    }

    int descriptor_ = -1;
    std::uint64_t size_at_opening_ = 0;
    std::filesystem::path path_;
};

/// The names in a directory, in no order.
[[nodiscard]] inline std::vector<std::string> names_in(const std::filesystem::path& directory) {
    std::error_code failed;
    std::filesystem::directory_iterator entries(directory.empty() ? "." : directory, failed);
    std::vector<std::string> names;
    for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed))
        names.push_back(entries->path().filename().string());
    if (failed)
        throw io_error(directory, "cannot list", failed);
    return names;
}

[[nodiscard]] inline bool is_file(const std::filesystem::path& path) noexcept {
    std::error_code none;
    return std::filesystem::is_regular_file(path, none);
}

/// Whether standard error is looked at by somebody.
[[nodiscard]] inline bool errors_go_to_terminal() noexcept { return ::isatty(STDERR_FILENO) == 1; }

/// Makes the names in a directory durable: a rename or a new file is safe from a power cut only after this.
inline void sync_directory(const std::filesystem::path& directory) {
    const auto named = directory.empty() ? std::filesystem::path(".") : directory;
    const int descriptor = detail::retried([&] { return ::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor < 0)
        throw io_error(named, "cannot open", detail::last_error());
    const bool synced = ::fsync(descriptor) == 0;
    const auto why = detail::last_error();
    ::close(descriptor);
    // File systems without directory syncs say so with EINVAL; there is nothing to wait for then.
    if (!synced && why.value() != EINVAL)
        throw io_error(named, "cannot sync", why);
}

}  // namespace ndkeep
