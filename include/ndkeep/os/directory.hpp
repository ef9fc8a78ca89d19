// SPDX-License-Identifier: BSD-3-Clause
// A directory held open, whose files come into being whole.
#pragma once

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
#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

/// A directory, held open: a name within it has no slash, and links are never followed.
class directory {
  public:
    directory() = default;
    directory(directory&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
    directory& operator=(directory&& other) noexcept;
    ~directory();

    /// nullopt if absent. Links on the way are followed, this is the user's own name for it.
    /// @throws io_error  it may not be opened, or is no directory
    [[nodiscard]] static std::optional<directory> open(const std::filesystem::path& path);

    /// Makes it if it is not there; its parent must be.
    /// @param is_new  becomes true if it was made
    [[nodiscard]] static directory create(const std::filesystem::path& path, bool& is_new);

    /// A directory in this one; nullopt if absent.
    /// @throws io_error  it may not be opened, or is a link, or no directory
    [[nodiscard]] std::optional<directory> open_folder(const std::string& name) const;

    /// The same, made if absent.
    /// @param is_new  becomes true if it was made
    [[nodiscard]] directory create_folder(const std::string& name, bool& is_new);

    /// Creates an empty file that everybody can open who may write in the directory, unless the name is taken.
    void create_shared_file(const std::string& name);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }

    /// Locks the directory exclusively against other open descriptions of it, as `file::lock` does, and waits at most
    /// so long. False where it has no lock then, or the file system has none.
    [[nodiscard]] bool lock_within(std::chrono::milliseconds patience) const;
    void unlock() const noexcept { (void)::flock(descriptor_, LOCK_UN); }

    /// A regular file; nullopt if absent.
    /// @throws io_error  a link, a pipe, a directory; or it may not be opened
    [[nodiscard]] std::optional<file> open_file(const std::string& name,
                                                file::access wanted = file::access::read) const;

    /// Creates a file whole under a name that must be free: at every instant it is there with all of its bytes, or not.
    /// False where the name is taken.
    /// @param durable  the bytes are on the disk before they have the name; the name itself needs `sync()`
    [[nodiscard]] bool put(const std::string& name, std::span<const std::span<const std::byte>> parts, bool durable);

    /// The names in it, in no order.
    [[nodiscard]] std::vector<std::string> names() const;

    /// Removes a file that need not be there.
    void remove(const std::string& name);

    /// Makes the names in it durable.
    void sync() const;

  private:
    directory(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}

    /// Nothing leads out of the directory.
    void check_name(const std::string& name) const;

    static void write(file& to, std::span<const std::span<const std::byte>> parts, bool durable);

    /// nullopt where the file system has no such files.
    [[nodiscard]] std::optional<file> unnamed_file(const std::string& name) const;

    /// False where the name is taken; nullopt where this process cannot give such a file a name.
    [[nodiscard]] std::optional<bool> link_unnamed(const file& made, const std::string& name) const;

    /// Whether an unnamed file was written in vain: large ones should be written only once.
    [[nodiscard]] static std::atomic<bool>& cannot_link_unnamed() noexcept;

    /// A file under a name that nobody else has.
    [[nodiscard]] file named_file(const std::string& name, std::string& temporary) const;

    /// False where the name is taken.
    [[nodiscard]] bool link_named(const std::string& temporary, const std::string& name) const;

    int descriptor_ = -1;
    std::filesystem::path path_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/directory.ipp>
#endif
