// SPDX-License-Identifier: BSD-3-Clause
// Where named bytes live: the few operations that chunked arrays need, and a directory that has them. Another place is
// another class.
#pragma once

#include <ndkeep/bytes/byte_locks.hpp>
#include <ndkeep/bytes/directory.hpp>

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

    /// The bytes as a file, where they are in one; nothing where there is no such name or no such thing.
    [[nodiscard]] virtual std::optional<file> open(const std::string& name) {
        (void)name;
        return std::nullopt;
    }
    /// Locks on numbers by which users of the place are polite to each other; those of nobody where it has none.
    [[nodiscard]] virtual byte_locks locks() { return {}; }

    /// What errors call it.
    [[nodiscard]] virtual std::filesystem::path called(const std::string& name) const = 0;
};

/// A directory of this machine, or of one whose files this machine sees.
class local_place final : public place {
  public:
    enum class access { read, write };

    /// @param wanted  `write` makes the directory, but not its parents, and what is in it; `read` changes nothing, ever
    /// @throws io_error  no such directory
    local_place(const std::filesystem::path& named, access wanted) : path_(named), access_(wanted) {
        if (!path_.has_filename())
            path_ = path_.parent_path();  // "readings/"
        const auto& path = path_;
        bool is_new = false;
        if (wanted == access::write)
            root_ = directory::create(path, is_new);
        else if (auto there = directory::open(path))
            root_ = std::move(*there);
        else
            throw io_error(path, "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
        for (const char* const folder : {"commits", "chunks"}) {
            if (wanted == access::write)
                folders_[folder] = directory::create(path / folder, is_new);
            else if (auto inner = directory::open(path / folder))
                folders_[folder] = std::move(*inner);
        }
        if (is_new) {
            root_.sync();
            sync_directory(path.parent_path());
        }
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
        return folders_.at(folder).put(rest, bytes, durable);
    }

    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override {
        const auto at = folders_.find(folder);
        return at == folders_.end() ? std::vector<std::string>() : at->second.names();
    }

    void remove(const std::string& name) override {
        const auto [folder, rest] = split(name);
        folders_.at(folder).remove(rest);
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
            const bool writes = access_ == access::write;
            for (int tries = 0; tries < 2; ++tries) {
                if (auto there = root_.open_file("lock", writes ? file::access::read_write : file::access::read))
                    return byte_locks(std::move(*there));
                if (!writes)
                    break;
                (void)root_.put("lock", {}, false);
            }
        } catch (const io_error&) {
            // A directory in which nothing may be opened or made: others do without them too.
        }
        return {};
    }

    [[nodiscard]] std::filesystem::path called(const std::string& name) const override { return path_ / name; }

  private:
    [[nodiscard]] static std::pair<std::string, std::string> split(const std::string& name) {
        const auto slash = name.find('/');
        return {name.substr(0, slash), name.substr(slash + 1)};
    }

    std::filesystem::path path_;
    access access_;
    directory root_;
    std::map<std::string, directory> folders_;
};

}  // namespace ndkeep
