// SPDX-License-Identifier: BSD-3-Clause
// The storage interface of chunked arrays, and its implementation for a local directory.
#pragma once

#include <ndkeep/os/directory.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Storage for named, immutable byte strings. Derive from it to keep chunked arrays elsewhere, as in an object store.
///
/// Names are FOLDER/NAME with one of two folders: "commits" and "chunks". A name is absent if no `put` has stored it,
/// or if it was removed: `get`, `get_range` and `size` report that by their result, never by an error. Every operation
/// may throw `io_error`, which leaves open whether the name is present: a `put` that throws may have stored the bytes.
///
/// `get`, `get_range`, `size`, `put` and `open` are called by several threads at once.
///
/// A place need not have files, locks and turns. Without files, chunks are read into memory where they would be mapped.
/// Without locks and turns, no commit is lost: they avoid commits that must be made again, and locks keep a commit from
/// being pruned while it is read.
class place {
  public:
    /// Bytes in pieces, which `put` joins.
    using parts = std::span<const std::span<const std::byte>>;

    place() = default;
    place(const place&) = delete;
    place& operator=(const place&) = delete;
    virtual ~place() = default;

    /// All bytes of a name; nullopt if absent.
    /// @throws format_error  the size exceeds `most` bytes; checked before memory is allocated
    [[nodiscard]] virtual std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) = 0;
    /// Fills `out` with the bytes of a name from `offset` on; false if absent.
    /// @throws format_error  the bytes end before `out` is full
    [[nodiscard]] virtual bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) = 0;
    /// The number of bytes of a name; nullopt if absent.
    [[nodiscard]] virtual std::optional<std::uint64_t> size(const std::string& name) = 0;
    /// Stores bytes under a name that must be free; false if it is taken. The parts are joined. Other processes see all
    /// of the bytes or none. Of several puts of one name, at most one returns true.
    /// @param wanted  with `on_disk`, the bytes survive a power cut before they get the name; the name needs
    /// `sync_names`
    [[nodiscard]] virtual bool put(const std::string& name, parts bytes, durability wanted) = 0;
    /// The names in a folder, without the folder, in no order; none if the folder is absent. Names that are put or
    /// removed meanwhile may be missing.
    [[nodiscard]] virtual std::vector<std::string> list(const std::string& folder) = 0;
    /// Removes a name; does nothing if it is absent.
    virtual void remove(const std::string& name) = 0;

    /// Makes the bytes durable that were put with `when_convenient`. An object store has nothing to do.
    /// @throws io_error  with `std::errc::no_such_file_or_directory` if the name is absent; or the bytes may be lost
    virtual void sync(const std::string& name) = 0;
    /// Makes the names in a folder durable, and removals too.
    virtual void sync_names(const std::string& folder) = 0;

    /// Names outside the two folders that do not belong to a dataset. A new dataset is rejected if there are any.
    [[nodiscard]] virtual std::vector<std::string> strangers() { return {}; }

    /// Opens a name as a local file, for mapping. nullopt if the place has no file for it. The name may still exist:
    /// `size` and `get_range` decide that.
    [[nodiscard]] virtual std::optional<file> open(const std::string& name);
    /// The advisory locks of this place, on numbers: see layout.hpp for their meaning. If it has no locks, or this user
    /// may not open them, the result is not open and grants every lock.
    [[nodiscard]] virtual byte_locks locks() { return {}; }
    /// The same locks, to ask which commits are being read. `prune` must not take "cannot be asked" for "nobody reads".
    /// @throws io_error  this user may not open them
    [[nodiscard]] virtual byte_locks locks_of_readers() { return locks(); }
    /// Whether a commit record is so old that no reader still uses the commit before it; pruning keeps that commit
    /// until then. Places with locks return true: their locks tell which commits are being read.
    [[nodiscard]] virtual bool was_put_long_ago(const std::string& name) {
        (void)name;
        return true;
    }
    /// The names in `chunks` that are so old that no writer will still commit them; `prune_chunked` sweeps them. Places
    /// with locks return none: their commits sweep.
    [[nodiscard]] virtual std::vector<std::string> abandoned() { return {}; }
    /// Whether a chunk comes over a network, so that several are fetched ahead, each whole in one call.
    [[nodiscard]] virtual bool is_distant() const { return false; }
    /// Waits at most `patience` until no other writer commits, and keeps others waiting until `end_turn`. This avoids
    /// commits that must be made again; correctness does not depend on it.
    virtual void begin_turn(std::chrono::milliseconds patience) { (void)patience; }
    /// Lets the next writer commit.
    virtual void end_turn() noexcept {}

    /// The display path of a name, for errors.
    [[nodiscard]] virtual std::filesystem::path called(const std::string& name) const = 0;
    /// The display path of the place itself, without a slash at the end.
    [[nodiscard]] std::filesystem::path path() const;
};

/// Storage for many places, each under a name of its own, as collections need it. A location in a bucket has one. All
/// functions may be called by several threads at once.
class place_tree {
  public:
    place_tree() = default;
    place_tree(const place_tree&) = delete;
    place_tree& operator=(const place_tree&) = delete;
    virtual ~place_tree() = default;

    /// The place with a name such as "xnas/AAPL/2026". It need not hold anything yet.
    [[nodiscard]] virtual std::shared_ptr<place> place_at(const std::string& name) = 0;
    /// The names directly below a name, or at the top if it is empty, under which something is stored. They contain no
    /// slash and are in no order.
    [[nodiscard]] virtual std::vector<std::string> folders(const std::string& name) = 0;
    /// The display path, without a slash at the end.
    [[nodiscard]] virtual std::filesystem::path path() const = 0;
};

/// A directory in the file system of this machine, the place that a path stands for.
///
/// It holds the folders `commits` and `chunks`, and the empty file `lock`, whose bytes are locked. All three are opened
/// through the directory's descriptor, and symbolic links are not followed.
class local_place final : public place {
  public:
    /// What the caller will do with the directory.
    enum class access { read, write };

    /// Opens a directory.
    /// @param wanted  `read` never creates or changes anything. `write` creates the directory, but not its parents; the
    ///                first put creates the two folders
    /// @throws io_error  the directory is absent or cannot be created; or one of the two folders is a symbolic link,
    ///                   which could lead into another dataset
    local_place(const std::filesystem::path& named, access wanted);

    [[nodiscard]] std::vector<std::string> strangers() override;

    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override;

    [[nodiscard]] bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override;

    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& name) override;

    [[nodiscard]] bool put(const std::string& name, parts bytes, durability wanted) override;

    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override;

    void remove(const std::string& name) override;

    void sync(const std::string& name) override;

    void sync_names(const std::string& folder) override;

    [[nodiscard]] std::optional<file> open(const std::string& name) override;

    [[nodiscard]] byte_locks locks() override;
    [[nodiscard]] byte_locks locks_of_readers() override;

    // The lock is on the folder `commits` itself, not on a file: every user who may open the folder can take it,
    // whoever created it.
    void begin_turn(std::chrono::milliseconds patience) override;
    void end_turn() noexcept override;

    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return path_ / name; }

  private:
    /// Not open if this place is for reading and the lock file is absent.
    /// @throws io_error  the lock file cannot be opened or created
    [[nodiscard]] byte_locks opened_locks();
    /// The lock file; nullopt if absent. If it cannot be opened for writing, as another user's may be, it is opened for
    /// reading: that is enough for shared locks, and to ask for locks.
    [[nodiscard]] std::optional<file> lock_file(file::access wanted) const;

    /// Creates the two folders before the first put of a new dataset, which one thread makes.
    void make_folders();

    /// FOLDER and NAME.
    [[nodiscard]] static std::pair<std::string, std::string> split(const std::string& name);

    std::filesystem::path path_;
    access access_;
    bool is_new_ = false;  // the directory or a folder was created, and its name is not durable yet
    directory root_;
    std::map<std::string, directory> folders_;
};

namespace detail {

/// `named` without a slash at its end.
[[nodiscard]] std::filesystem::path display_path(const std::filesystem::path& named);

/// The least number of threads for a network: a connection waits for most of its time.
inline constexpr unsigned threads_for_network = 8;
/// The threads for a place, if the caller left the number open. For a distant one, they may be more than the cores.
[[nodiscard]] unsigned threads_for_place(const place& where, unsigned wanted);

/// The turn of one writer to commit, from its construction to its destruction. Other writers wait for it.
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
