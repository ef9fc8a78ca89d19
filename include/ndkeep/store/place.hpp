// SPDX-License-Identifier: BSD-3-Clause
// Where named bytes live: the few operations that chunked arrays need, and a directory that has them. Another place is
// another class.
#pragma once

#include <ndkeep/os/byte_locks.hpp>
#include <ndkeep/os/directory.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

namespace ndkeep {

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
    [[nodiscard]] virtual std::optional<file> open(const std::string& name) {
        (void)name;
        return std::nullopt;
    }
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
    local_place(const std::filesystem::path& named, access wanted) : path_(named), access_(wanted) {
        if (!path_.has_filename())
            path_ = path_.parent_path();  // "readings/"
        if (wanted == access::write)
            root_ = directory::create(path_, is_new_);
        else if (auto present = directory::open(path_))
            root_ = std::move(*present);
        else
            throw io_error(path_, "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
        for (const char* const folder : folder_names)
            if (auto inner = root_.open_folder(folder))
                folders_[folder] = std::move(*inner);
    }

    [[nodiscard]] std::vector<std::string> strangers() override {
        auto names = root_.names();
        std::erase_if(names, [](const std::string& name) {
            return name == lock_name || std::find(folder_names.begin(), folder_names.end(), name) != folder_names.end();
        });
        return names;
    }

    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override {
        const auto source = open(name);
        if (!source)
            return std::nullopt;
        const std::uint64_t size = source->size();
        if (size > most)
            throw format_error({.file = source->path(),
                                .field = "length",
                                .expected = "at most " + counted(most, "byte"),
                                .found = counted(size, "byte")});
        std::vector<std::byte> bytes(static_cast<std::size_t>(size));
        source->read(0, bytes);
        return bytes;
    }

    [[nodiscard]] bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        const auto source = open(name);
        if (source)
            source->read(offset, out);
        return source.has_value();
    }

    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& name) override {
        const auto source = open(name);
        return source ? std::optional(source->size()) : std::nullopt;
    }

    [[nodiscard]] bool put(const std::string& name, parts bytes, bool durable) override {
        const auto [folder, rest] = split(name);
        if (folders_.count(folder) == 0)
            make_folders();
        return folders_.at(folder).put(rest, bytes, durable);
    }

    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override {
        const auto at = folders_.find(folder);
        return at == folders_.end() ? std::vector<std::string>() : at->second.names();
    }

    void remove(const std::string& name) override {
        const auto [folder, rest] = split(name);
        if (const auto at = folders_.find(folder); at != folders_.end())
            at->second.remove(rest);
    }

    void sync(const std::string& name) override {
        if (const auto source = open(name))
            source->sync();
        else
            throw io_error(called(name), "cannot sync", std::make_error_code(std::errc::no_such_file_or_directory));
    }

    void sync_names(const std::string& folder) override {
        const auto at = folders_.find(folder);
        if (at != folders_.end())
            at->second.sync();
    }

    [[nodiscard]] std::optional<file> open(const std::string& name) override {
        const auto [folder, rest] = split(name);
        const auto at = folders_.find(folder);
        return at == folders_.end() ? std::nullopt : at->second.open_file(rest);
    }

    [[nodiscard]] byte_locks locks() override {
        try {
            return opened_locks();
        } catch (const io_error&) {
            return {};  // a directory in which nothing may be opened or made: others do without them too
        }
    }
    [[nodiscard]] byte_locks locks_of_readers() override {
        try {
            return opened_locks();
        } catch (const io_error& problem) {
            throw io_error(problem.file(), "cannot see which commits are being read", problem.code());
        }
    }

    // The directory itself is locked: every user who may list it can, whoever made it.
    void begin_turn(std::chrono::milliseconds patience) override {
        if (const auto at = folders_.find("commits"); at != folders_.end())
            (void)at->second.lock_within(patience);
    }
    void end_turn() noexcept override {
        if (const auto at = folders_.find("commits"); at != folders_.end())
            at->second.unlock();
    }

    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return path_ / name; }

  private:
    static constexpr std::array<const char*, 2> folder_names = {"commits", "chunks"};
    static constexpr const char* lock_name = "lock";

    /// Of nobody if this is for reading and there is no such file.
    [[nodiscard]] byte_locks opened_locks() {
        const bool writes = access_ == access::write;
        for (int tries = 0; tries < 2; ++tries) {
            if (auto present = lock_file(writes ? file::access::read_write : file::access::read))
                return byte_locks(std::move(*present));
            if (!writes)
                return {};
            root_.create_shared_file(lock_name);
        }
        throw io_error(called(lock_name), "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
    }
    /// Another user's may be open for reading only: that is enough for shared locks, and for asking.
    [[nodiscard]] std::optional<file> lock_file(file::access wanted) const {
        try {
            return root_.open_file(lock_name, wanted);
        } catch (const io_error& problem) {
            const bool may_read =
                problem.code() == std::errc::permission_denied || problem.code() == std::errc::read_only_file_system;
            if (wanted == file::access::read || !may_read)
                throw;
        }
        return root_.open_file(lock_name, file::access::read);
    }

    /// Before the first put, which one thread makes.
    void make_folders() {
        for (const char* const folder : folder_names)
            if (folders_.count(folder) == 0)
                folders_[folder] = root_.create_folder(folder, is_new_);
        if (!std::exchange(is_new_, false))
            return;
        root_.sync();
        sync_directory(path_.parent_path());
    }

    [[nodiscard]] static std::pair<std::string, std::string> split(const std::string& name) {
        const auto slash = name.find('/');
        return {name.substr(0, slash), name.substr(slash + 1)};
    }

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
    ~commit_turn() {
        if (owner_.is_this())
            where_.end_turn();
    }

  private:
    place& where_;
    owning_process owner_;
};

}  // namespace detail

}  // namespace ndkeep
