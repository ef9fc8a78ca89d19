// SPDX-License-Identifier: BSD-3-Clause
// Files of bytes: open, read, write, reserve, sync. What needs no descriptor is in other headers of os/.
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

/// Size in bytes and time of the last change: enough to see that a file is not the one described.
struct file_stamp {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;  ///< nanoseconds since 1970, modulo 2^64: they pass the largest number in the year 2262
    friend bool operator==(const file_stamp&, const file_stamp&) = default;
};

namespace core {

/// The `errno` of the system call just made.
[[nodiscard]] std::error_code last_error() noexcept;

/// Text as the bytes it is written in.
[[nodiscard]] std::span<const std::byte> bytes_of(std::string_view text) noexcept;

}  // namespace core

namespace detail {

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
    file& operator=(file&& other) noexcept;
    ~file();

    /// Opens a regular file that exists.
    /// @throws io_error  it does not exist, may not be opened, or is a directory, pipe or device
    [[nodiscard]] static file open(const std::filesystem::path& path, access wanted = access::read);

    /// Opens a regular file for reading; nullopt if the name is free or not that of a regular file: a link is not
    /// followed.
    /// @throws io_error  a regular file that may not be opened, or the system does not tell whether there is one
    [[nodiscard]] static std::optional<file> open_if_regular(const std::filesystem::path& path);

    /// Creates an empty file under a name that must not exist; nullopt when it does.
    /// @param called  what errors name
    [[nodiscard]] static std::optional<file> create_exclusive(const std::filesystem::path& path,
                                                              const std::filesystem::path& called);

    [[nodiscard]] static std::optional<file> create_exclusive(const std::filesystem::path& path);

    /// Opens what is present, without following a last symbolic link, for writing if that is permitted; nullopt with
    /// `errno` when it cannot be opened.
    [[nodiscard]] static std::optional<file> open_leftover(const std::filesystem::path& path);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// What errors call it from now on.
    void call(std::filesystem::path name) { path_ = std::move(name); }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
    /// For the mapping floor and for locks; still owned by this object.
    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

    [[nodiscard]] struct stat status() const;
    [[nodiscard]] file_stamp stamp() const { return detail::stamp_of(status()); }
    [[nodiscard]] std::uint64_t size() const { return stamp().size; }
    /// Costs nothing, and may be out of date. Of a file that `open` opened; 0 of others.
    [[nodiscard]] std::uint64_t size_at_opening() const noexcept { return size_at_opening_; }

    /// Reads up to `out.size()` bytes; fewer only at the end of the file.
    [[nodiscard]] std::size_t read_some(std::uint64_t offset, std::span<std::byte> out) const;

    /// Fills `out`.
    /// @throws format_error  the file ends before; it may have shrunk since it was measured
    void read(std::uint64_t offset, std::span<std::byte> out) const;

    void write(std::uint64_t offset, std::span<const std::byte> bytes);

    /// Takes over `length` bytes of another file; without their passing through this process, where the system can.
    void copy(const file& from, std::uint64_t from_offset, std::uint64_t offset, std::uint64_t length);

    /// Cuts or extends the file; what is new reads as zeros and takes no room on the disk.
    void resize(std::uint64_t size);

    /// Takes the room for `size` bytes now, so that a full disk is an error here and not later. The file becomes at
    /// least that long. Returns false where the file system cannot promise room.
    /// @throws io_error  the disk or the quota has not that much room
    [[nodiscard]] bool reserve(std::uint64_t size);

    /// Returns when the bytes are on the disk as far as the operating system can tell.
    /// @throws io_error  and the state of the file is then unknown: a failed sync is never to be retried
    void sync() const;

    /// Hears of write errors that the system reports only at close (NFS, quota), and stays open.
    void settle() const;

    /// Locks the whole file exclusively, without waiting, against every other open description of it and whatever users
    /// they belong to; no right to write is needed. False where another has the lock. Held until `unlock`, or until the
    /// last copy of the descriptor is closed: a forked child holds one.
    /// @throws io_error  the file system cannot lock
    [[nodiscard]] bool try_lock() const;
    void unlock() const noexcept { (void)::flock(descriptor_, LOCK_UN); }

    void close();

    [[noreturn]] void fail(std::string_view what) const { throw io_error(path_, what, detail::last_error()); }

  private:
    friend class directory;

    // Linux moves at most 0x7ffff000 bytes a call; a round number below keeps the rest aligned.
    static constexpr std::size_t longest_call = std::size_t{1} << 30;

    file(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}

    [[nodiscard]] static file open_with(const std::filesystem::path& path, int flags, std::string_view what);

    void check_regular();

    int descriptor_ = -1;
    std::uint64_t size_at_opening_ = 0;
    std::filesystem::path path_;
};

/// The names in a directory, in no order.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& directory);

[[nodiscard]] bool is_file(const std::filesystem::path& path) noexcept;

/// Whether standard error is looked at by somebody.
[[nodiscard]] bool errors_go_to_terminal() noexcept;

/// Makes the names in a directory durable: a rename or a new file is safe from a power cut only after this.
void sync_directory(const std::filesystem::path& directory);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/file.ipp>
#endif
