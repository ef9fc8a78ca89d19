// SPDX-License-Identifier: BSD-3-Clause
// Where named bytes live: the few operations that chunked arrays need, and a directory that has them. Another place is
// another class.
#pragma once

#include <ndkeep/os/byte_locks.hpp>
#include <ndkeep/os/directory.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/version.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Named bytes that never change once they are there.
///
/// Names are FOLDER/NAME, in one of two folders: "commits" and "chunks". Every operation may throw `io_error`; after
/// that, `put` may have succeeded all the same.
class place {
  public:
    using parts = std::span<const std::span<const std::byte>>;

    place() = default;
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    virtual ~place() = default;

    /// All bytes of a name; nothing where there is none.
    /// @throws format_error  there are more than `most`
    [[nodiscard]] virtual std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) = 0;
    /// Fills `out` with bytes of a name; false where there is none.
    /// @throws format_error  they end before
    [[nodiscard]] virtual bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) = 0;
    /// The number of bytes of a name; nothing where there is none.
    [[nodiscard]] virtual std::optional<std::uint64_t> size(const std::string& name) = 0;
    /// Puts bytes under a name that must be free, whole or not at all; false where it is taken.
    /// @param durable  they are safe from a power cut before they have the name
    [[nodiscard]] virtual bool put(const std::string& name, parts bytes, bool durable) = 0;
    /// The names in a folder, without it, in no order.
    [[nodiscard]] virtual std::vector<std::string> list(const std::string& folder) = 0;
    /// Removes a name that need not be there.
    virtual void remove(const std::string& name) = 0;

    /// Makes what was put without `durable` safe from a power cut. Object stores have nothing to do.
    virtual void sync(const std::string& name) = 0;
    /// Makes the names in a folder durable.
    virtual void sync_names(const std::string& folder) = 0;

    /// Names that are in the way of a new dataset, because they stand beside the two folders and are no part of it.
    [[nodiscard]] virtual std::vector<std::string> strangers() { return {}; }

    /// The bytes as a file, where they are in one; nothing where there is no such name or no such thing.
    [[nodiscard]] virtual std::optional<file> open(const std::string& name);
    /// Locks on numbers by which users of the place tell each other what they do; those of nobody where it has none, or
    /// none that this user may open.
    [[nodiscard]] virtual byte_locks locks() { return {}; }
    /// The same, to find out which commits are being read.
    /// @throws io_error  this user may not
    [[nodiscard]] virtual byte_locks locks_of_readers() { return locks(); }
    /// Waits at most so long until no other writer commits, to avoid commits that must be made again. Correctness does
    /// not depend on it.
    virtual void begin_turn(std::chrono::milliseconds patience) { (void)patience; }
    virtual void end_turn() noexcept {}

    /// What errors call it.
    [[nodiscard]] virtual std::filesystem::path called(const std::string& name) const = 0;
};

/// A directory of this machine, or of one whose files this machine sees.
class local_place final : public place {
  public:
    enum class access { read, write };

    /// @param wanted  `read` changes nothing, ever. `write` makes the directory, but not its parents; folders in it are
    ///                made by the first put
    /// @throws io_error  no such directory; a folder in it is a symbolic link, which could lead into another dataset
    local_place(const std::filesystem::path& named, access wanted);

    [[nodiscard]] std::vector<std::string> strangers() override;

    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override;

    [[nodiscard]] bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override;

    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& name) override;

    [[nodiscard]] bool put(const std::string& name, parts bytes, bool durable) override;

    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override;

    void remove(const std::string& name) override;

    void sync(const std::string& name) override;

    void sync_names(const std::string& folder) override;

    [[nodiscard]] std::optional<file> open(const std::string& name) override;

    [[nodiscard]] byte_locks locks() override;
    [[nodiscard]] byte_locks locks_of_readers() override;

    // The directory itself is locked: every user who may list it can, whoever made it.
    void begin_turn(std::chrono::milliseconds patience) override;
    void end_turn() noexcept override;

    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return path_ / name; }

  private:
    static constexpr std::array<const char*, 2> folder_names = {"commits", "chunks"};
    static constexpr const char* lock_name = "lock";

    /// Of nobody if this is for reading and there is no such file.
    [[nodiscard]] byte_locks opened_locks();
    /// Another user's may be open for reading only: that is enough for shared locks, and for asking.
    [[nodiscard]] std::optional<file> lock_file(file::access wanted) const;

    /// Before the first put, which one thread makes.
    void make_folders();

    [[nodiscard]] static std::pair<std::string, std::string> split(const std::string& name);

    std::filesystem::path path_;
    access access_;
    bool is_new_ = false;  // the directory or a folder in it, whose name is not durable yet
    directory root_;
    std::map<std::string, directory> folders_;
};

namespace detail {

/// Held while a commit is made, so that other writers wait.
class commit_turn {
  public:
    commit_turn(place& where, std::chrono::milliseconds patience) : where_(where) { where_.begin_turn(patience); }
    commit_turn(const commit_turn&) = delete;
    commit_turn& operator=(const commit_turn&) = delete;
    ~commit_turn();

  private:
    place& where_;
    owning_process owner_;
};

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/place.ipp>
#endif
