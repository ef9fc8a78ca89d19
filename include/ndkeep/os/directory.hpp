// SPDX-License-Identifier: BSD-3-Clause
// An open directory: list, open, create atomically and remove the files in it.
#pragma once

#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/version.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

/// An open directory and the operations on its entries.
///
/// It is used by descriptor, so it stays the same directory when its path is renamed. Names of entries have no slash,
/// and symbolic links are not followed: names may come from a damaged or hostile record.
class directory {
  public:
    directory() = default;
    directory(directory&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
    directory& operator=(directory&& other) noexcept;
    ~directory();

    /// Opens a directory; nullopt if absent. Symbolic links in `path` are followed, because the user chose the path.
    /// @throws io_error  it cannot be opened, or it is not a directory
    [[nodiscard]] static std::optional<directory> open(const std::filesystem::path& path);

    /// Opens a directory, and creates it first if absent. Its parent must exist.
    /// @param is_new  set to true if it was created, otherwise left as it is
    /// @throws io_error  it can be neither created nor opened
    [[nodiscard]] static directory create(const std::filesystem::path& path, bool& is_new);

    /// Opens a directory inside this one; nullopt if absent.
    /// @throws io_error  it cannot be opened, it is a symbolic link, or it is not a directory
    [[nodiscard]] std::optional<directory> open_folder(const std::string& name) const;

    /// Opens a directory inside this one, and creates it first if absent.
    /// @param is_new  set to true if it was created, otherwise left as it is
    /// @throws io_error  it can be neither created nor opened
    [[nodiscard]] directory create_folder(const std::string& name, bool& is_new);

    /// Creates an empty file with the read and write permissions of the directory, whatever the umask: every user who
    /// can write in the directory can open it. Does nothing if the name exists.
    /// @throws io_error  it cannot be created
    void create_shared_file(const std::string& name);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

    /// Locks the directory exclusively against every other open description of it, as `file::try_lock` does. Waits at
    /// most `patience`. Returns false if the lock was not obtained in time, or if the file system cannot lock.
    [[nodiscard]] bool lock_within(std::chrono::milliseconds patience) const;
    void unlock() const noexcept { (void)::flock(descriptor_, LOCK_UN); }

    /// Opens a regular file; nullopt if absent.
    /// @throws io_error  it is a symbolic link, a pipe, a device or a directory, or it cannot be opened
    [[nodiscard]] std::optional<file> open_file(const std::string& name,
                                                file::access wanted = file::access::read) const;

    /// Creates an empty file, open for reading and writing.
    /// @throws io_error  it exists or cannot be created
    [[nodiscard]] file create_file(const std::string& name);

    /// The status of what has this name, links not followed; nullopt if absent.
    /// @throws io_error  the system cannot tell
    [[nodiscard]] std::optional<struct stat> status_of(const std::string& name) const;

    /// Renames an entry into a directory of the same file system, and replaces what has the new name.
    /// @throws io_error  it is absent, or cannot be renamed
    void rename(const std::string& from, directory& into, const std::string& to);

    /// Creates a file atomically: at every instant it is absent or has all its bytes. Returns false if the name exists;
    /// the existing entry is not changed.
    /// @param parts    the content, in order
    /// @param durable  syncs the bytes before the file gets its name. The name itself is durable only after `sync()`
    /// @throws io_error  it cannot be created or written, or the file system has no exclusive creation
    [[nodiscard]] bool put(const std::string& name, std::span<const std::span<const std::byte>> parts,
                           durability wanted);

    /// The names of all entries, unordered. If other processes create files meanwhile, the list can miss an entry and
    /// have a newer one: conclude nothing from an absent name.
    /// @throws io_error  the directory cannot be listed
    [[nodiscard]] std::vector<std::string> names() const;

    /// Removes a file. Does nothing if it is absent.
    /// @throws io_error  it cannot be removed
    void remove(const std::string& name);

    /// Removes an empty directory inside this one. Returns whether the name is free now, which it is also if it was
    /// absent; false if the directory is not empty, or if the name is none of a directory.
    /// @throws io_error  it cannot be removed
    [[nodiscard]] bool remove_folder(const std::string& name);

    /// Removes what has this name: a file, a symbolic link but not its target, or a directory with all that is in it.
    /// Does nothing if it is absent.
    /// @throws io_error  something in it cannot be removed
    void remove_tree(const std::string& name);

    /// Whether `path` leads to this directory, links followed. False if the system cannot tell.
    [[nodiscard]] bool is_at(const std::filesystem::path& path) const noexcept;

    /// Returns when all entries created, renamed or removed so far survive a power cut.
    /// @throws io_error  the sync failed: what survives is unknown, and a second sync does not tell
    void sync() const;

  private:
    directory(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}

    /// Rejects names that could lead out of the directory.
    /// @throws io_error  with `std::errc::invalid_argument`
    void check_name(const std::string& name) const;

    static void write(file& to, std::span<const std::span<const std::byte>> parts, durability wanted);

    /// Creates a file without a name (O_TMPFILE), which disappears if the process is killed; nullopt where the system
    /// or the file system has no such files. Errors show it as `name`.
    [[nodiscard]] std::optional<file> unnamed_file(const std::string& name) const;

    /// Gives an unnamed file a name. Returns false if the name exists; nullopt if this process cannot name such a file.
    [[nodiscard]] std::optional<bool> link_unnamed(const file& made, const std::string& name) const;

    /// Whether this process cannot give names to unnamed files. Remembered, so that only one file per process is
    /// written in vain.
    [[nodiscard]] static std::atomic<bool>& cannot_link_unnamed() noexcept;

    /// Creates a file under a unique temporary name, returned in `temporary`. Errors show it as `name`.
    [[nodiscard]] file named_file(const std::string& name, std::string& temporary) const;

    /// Gives a temporary file its final name as well, or instead. Returns false if the name exists.
    [[nodiscard]] bool link_named(const std::string& temporary, const std::string& name) const;

    int descriptor_ = -1;
    std::filesystem::path path_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/directory.ipp>
#endif
