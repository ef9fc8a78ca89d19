// SPDX-License-Identifier: BSD-3-Clause
// An open regular file: read, write, copy, reserve, sync and lock.
#pragma once

#include <ndkeep/error.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

/// Size in bytes and time of the last change. Different stamps prove that a file changed; equal ones do not prove that
/// it did not, if it changed within one tick of the file system's clock.
struct file_stamp {
    std::uint64_t size = 0;     ///< bytes
    std::int64_t mtime_ns = 0;  ///< nanoseconds since 1970, modulo 2^64: they exceed 2^63 in the year 2262
    friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

namespace core {

/// The error of the last system call, from `errno`.
[[nodiscard]] std::error_code last_error() noexcept;

/// The bytes of a text. They refer to it and do not outlive it.
[[nodiscard]] std::span<const std::byte> bytes_of(std::string_view text) noexcept;

}  // namespace core

namespace detail {

/// Repeats a system call while a signal interrupts it (EINTR), so that signal handlers of the program cause no errors.
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
    // Unsigned, because signed overflow is undefined. Two times have the same number only if they are 584 years apart.
    const auto nanoseconds =
        static_cast<std::uint64_t>(changed.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(changed.tv_nsec);
    return {static_cast<std::uint64_t>(status.st_size), static_cast<std::int64_t>(nanoseconds)};
}

}  // namespace detail

/// An open regular file. Offsets and lengths are in bytes. Every call transfers all it was asked to, or throws.
///
/// The destructor closes the file and ignores errors. Call `close()` or `settle()` where a late error (NFS, quota)
/// would lose data.
class file {
  public:
    enum class access { read, read_write };
    static constexpr mode_t default_mode = 0666;

    file() = default;
    file(file&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), size_at_opening_(other.size_at_opening_),
          path_(std::move(other.path_)) {}
    file& operator=(file&& other) noexcept;
    ~file();

    /// Opens a regular file that exists.
    /// @throws io_error  it does not exist, cannot be opened, or is a directory, pipe or device
    [[nodiscard]] static file open(const std::filesystem::path& path, access wanted = access::read);

    /// Opens a regular file for reading; nullopt if it is absent, or a symbolic link, a directory, a pipe or a device.
    /// @throws io_error  a regular file cannot be opened, or the system cannot tell whether there is one
    [[nodiscard]] static std::optional<file> open_if_regular(const std::filesystem::path& path);

    /// Creates an empty file, open for reading and writing; nullopt if the name exists, also as a dangling link.
    /// @param called  the path that errors show
    /// @param mode    the system removes the bits of the umask
    /// @throws io_error  it cannot be created
    [[nodiscard]] static std::optional<file> create_exclusive(const std::filesystem::path& path,
                                                              const std::filesystem::path& called,
                                                              mode_t mode = default_mode);

    [[nodiscard]] static std::optional<file> create_exclusive(const std::filesystem::path& path);

    /// Opens whatever has this name, for writing if permitted and otherwise for reading; nullopt with `errno` if it
    /// cannot be opened. A symbolic link is not followed. The caller checks what it is: a pipe and a directory can be
    /// opened as well.
    [[nodiscard]] static std::optional<file> open_leftover(const std::filesystem::path& path);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Sets the path that errors show. The file keeps its name.
    void call(std::filesystem::path name) { path_ = std::move(name); }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
    /// For mappings and locks. This object still owns it.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

    [[nodiscard]] struct stat status() const;
    [[nodiscard]] file_stamp stamp() const { return detail::stamp_of(status()); }
    [[nodiscard]] std::uint64_t size() const { return stamp().size; }
    /// The size when the file was opened: costs no system call, and may be out of date. 0 if the file was created, or
    /// opened by `open_leftover`.
    [[nodiscard]] std::uint64_t size_at_opening() const noexcept { return size_at_opening_; }

    /// Reads up to `out.size()` bytes and returns their number, which is smaller only at the end of the file.
    [[nodiscard]] std::size_t read_some(std::uint64_t offset, std::span<std::byte> out) const;

    /// Fills `out`.
    /// @throws format_error  the file is too short; it may have shrunk since its size was read
    void read(std::uint64_t offset, std::span<std::byte> out) const;

    /// Writes all of `bytes`. A gap between the former end of the file and `offset` reads as zeros. After an error, a
    /// part may have been written.
    void write(std::uint64_t offset, std::span<const std::byte> bytes);

    /// Copies `length` bytes of another file, inside the kernel where the file systems support it.
    /// @throws format_error  `from` is too short
    void copy(const file& from, std::uint64_t from_offset, std::uint64_t offset, std::uint64_t length);

    /// Sets the permissions of owner, group and others; nothing else of `mode`. A refusal of the system is ignored.
    void set_mode(mode_t mode) noexcept;

    /// Sets the times of the last access and change to now. A refusal of the system is ignored.
    void touch() noexcept;

    /// Truncates or extends the file. New bytes read as zeros and use no disk space.
    void resize(std::uint64_t size);

    /// Allocates disk space for the first `size` bytes, so that a full disk is an error here and not later. The file
    /// becomes at least that long. Returns false where the file system cannot reserve space.
    /// @throws io_error  the disk or the quota has too little space
    [[nodiscard]] bool reserve(std::uint64_t size);

    /// Allocates disk space for a part of the file that has a hole or is behind its end. The size stays.
    /// @throws io_error  the disk or the quota has too little space
    [[nodiscard]] bool reserve(std::uint64_t offset, std::uint64_t length);

    /// Returns when all bytes and the size are on the disk, as far as the operating system can tell.
    /// @throws io_error  the content on the disk is unknown from then on. Do not retry: the system may already have
    ///                   dropped the pages it failed to write, and a second sync would succeed without them
    void sync() const;

    /// As `sync`, but times and modes of the file may not be on the disk. Saves a write to the file system's journal if
    /// the size is unchanged.
    void sync_data() const;

    /// Reports write errors that the system reports only at close (NFS, quota). The file stays open, and its lock held.
    /// @throws io_error  earlier writes were lost
    void settle() const;

    /// Locks the file exclusively with flock(2), without waiting. Returns false if another open description of the file
    /// holds the lock, in any process of any user. Read access is enough.
    ///
    /// The lock is held until `unlock`, or until the last copy of the descriptor is closed. A forked child has a copy.
    /// @throws io_error  the file system cannot lock
    [[nodiscard]] bool try_lock() const { return try_lock(LOCK_EX); }
    /// As `try_lock`, but several open descriptions may hold this lock at the same time. It excludes `try_lock`.
    [[nodiscard]] bool try_lock_shared() const { return try_lock(LOCK_SH); }
    void unlock() const noexcept { (void)::flock(descriptor_, LOCK_UN); }

    /// Closes the file. Does nothing if it is not open.
    /// @throws io_error  the system reports a late write error; the file is closed all the same
    void close();

    /// Throws an `io_error` of this file with the current `errno`.
    /// @param what  what was tried, as in "cannot read"
    [[noreturn]] void fail(std::string_view what) const { throw io_error(path_, what, detail::last_error()); }

  private:
    friend class directory;

    // Linux transfers at most 0x7ffff000 bytes a call. A power of two below that keeps the later calls aligned.
    static constexpr std::size_t longest_call = std::size_t{1} << 30;

    file(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}

    [[nodiscard]] static file open_with(const std::filesystem::path& path, int flags, std::string_view what);

    [[nodiscard]] bool try_lock(int operation) const;

    [[nodiscard]] bool allocate(int flags, std::uint64_t offset, std::uint64_t length);

    /// Rejects all but regular files, and notes the size.
    void check_regular();

    int descriptor_ = -1;
    std::uint64_t size_at_opening_ = 0;
    std::filesystem::path path_;
};

/// The names of all entries of a directory, unordered.
/// @throws io_error  the directory cannot be listed
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& directory);

/// Whether `path` leads to a regular file, links followed. False as well if the system cannot tell.
[[nodiscard]] bool is_file(const std::filesystem::path& path) noexcept;

/// Whether standard error is a terminal.
[[nodiscard]] bool errors_go_to_terminal() noexcept;

/// Syncs the entries of a directory. A new, renamed or removed file survives a power cut only after this, even if the
/// file itself was synced.
/// @throws io_error  the directory cannot be opened, or the sync failed
void sync_directory(const std::filesystem::path& directory);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/file.ipp>
#endif
