// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/place.hpp>.
#pragma once

#include <ndkeep/store/place.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/store/layout.hpp>

#include <algorithm>
#include <system_error>
#include <thread>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE std::optional<file> place::open(const std::string& name) {
    (void)name;
    return std::nullopt;
}

NDKEEP_INLINE std::filesystem::path place::path() const { return detail::display_path(called("")); }

NDKEEP_INLINE local_place::local_place(const std::filesystem::path& named, access wanted)
    // Without the slash of "readings/": the parent is synced later, and would be the directory itself.
    : path_(detail::display_path(named)), access_(wanted) {
    if (wanted == access::write)
        root_ = directory::create(path_, is_new_);
    else if (auto present = directory::open(path_))
        root_ = std::move(*present);
    else
        throw io_error(path_, "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
    // Absent folders are no error: a reader then finds no commit, and a writer creates them at its first put.
    for (const char* const folder : detail::folder_names)
        if (auto inner = root_.open_folder(folder))
            folders_[folder] = std::move(*inner);
}

NDKEEP_INLINE std::vector<std::string> local_place::strangers() {
    auto names = root_.names();
    std::erase_if(names, [this](const std::string& name) {
        // Every dataset has these three. A writer that was killed before its first commit leaves them.
        if (name == detail::lock_name) {
            const auto status = root_.status_of(name);
            return !status || !S_ISDIR(status->st_mode);
        }
        return std::find(detail::folder_names.begin(), detail::folder_names.end(), name) != detail::folder_names.end();
    });
    return names;
}

NDKEEP_INLINE std::optional<std::vector<std::byte>> local_place::get(const std::string& name, std::uint64_t most) {
    const auto source = open(name);
    if (!source)
        return std::nullopt;
    // The file cannot grow after this: it got its name with all of its bytes, and never changes.
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

NDKEEP_INLINE bool local_place::get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) {
    const auto source = open(name);
    if (source)
        source->read(offset, out);
    return source.has_value();
}

NDKEEP_INLINE std::optional<std::uint64_t> local_place::size(const std::string& name) {
    // Opened rather than asked by name, so a link or a pipe under the name is an error here too.
    const auto source = open(name);
    return source ? std::optional(source->size()) : std::nullopt;
}

NDKEEP_INLINE bool local_place::put(const std::string& name, parts bytes, durability wanted) {
    const auto [folder, rest] = split(name);
    // Only now: a directory that is refused for a new dataset, because it has foreign files, stays as it was.
    if (folders_.count(folder) == 0)
        make_folders();
    return folders_.at(folder).put(rest, bytes, wanted);
}

NDKEEP_INLINE std::vector<std::string> local_place::list(const std::string& folder) {
    const auto at = folders_.find(folder);
    return at == folders_.end() ? std::vector<std::string>() : at->second.names();
}

NDKEEP_INLINE void local_place::remove(const std::string& name) {
    const auto [folder, rest] = split(name);
    if (const auto at = folders_.find(folder); at != folders_.end())
        at->second.remove(rest);
}

NDKEEP_INLINE void local_place::sync(const std::string& name) {
    // A descriptor for reading is enough: fsync writes all of the file's dirty pages, whoever made them.
    if (const auto source = open(name))
        source->sync();
    else
        throw io_error(called(name), "cannot sync", std::make_error_code(std::errc::no_such_file_or_directory));
}

NDKEEP_INLINE void local_place::sync_names(const std::string& folder) {
    const auto at = folders_.find(folder);
    if (at != folders_.end())
        at->second.sync();
}

NDKEEP_INLINE std::optional<file> local_place::open(const std::string& name) {
    const auto [folder, rest] = split(name);
    const auto at = folders_.find(folder);
    return at == folders_.end() ? std::nullopt : at->second.open_file(rest);
}

NDKEEP_INLINE byte_locks local_place::locks() {
    try {
        return opened_locks();
    } catch (const io_error&) {
        return {};  // nothing may be opened or created in the directory: go on without locks
    }
}

NDKEEP_INLINE byte_locks local_place::locks_of_readers() {
    try {
        return opened_locks();
    } catch (const io_error& problem) {
        // Not an empty answer: `prune` would take it for "nobody reads" and remove files that a reader needs.
        throw io_error(problem.file(), "cannot see which commits are being read", problem.code());
    }
}

NDKEEP_INLINE void local_place::begin_turn(std::chrono::milliseconds patience) {
    // The result does not matter: after `patience`, or on a file system without locks, the commit is made without it.
    // Before the first put there is no folder, and no commit to wait for.
    if (const auto at = folders_.find(detail::commits_folder); at != folders_.end())
        (void)at->second.lock_within(patience);
}

NDKEEP_INLINE void local_place::end_turn() noexcept {
    if (const auto at = folders_.find(detail::commits_folder); at != folders_.end())
        at->second.unlock();
}

NDKEEP_INLINE byte_locks local_place::opened_locks() {
    const bool writes = access_ == access::write;
    // Twice: opened after it was created, by this process or by another one at the same time.
    for (int tries = 0; tries < 2; ++tries) {
        if (auto present = lock_file(writes ? file::access::read_write : file::access::read))
            return byte_locks(std::move(*present));
        // A reader creates nothing. Without the file, it has no protection from `prune`, and reports a pruned commit.
        if (!writes)
            return {};
        root_.create_shared_file(detail::lock_name);
    }
    throw io_error(called(detail::lock_name), "cannot open",
                   std::make_error_code(std::errc::no_such_file_or_directory));
}

NDKEEP_INLINE std::optional<file> local_place::lock_file(file::access wanted) const {
    try {
        return root_.open_file(detail::lock_name, wanted);
    } catch (const io_error& problem) {
        // Any other error is not about the right to write, and reading would fail in the same way.
        const bool may_read =
            problem.code() == std::errc::permission_denied || problem.code() == std::errc::read_only_file_system;
        if (wanted == file::access::read || !may_read)
            throw;
    }
    return root_.open_file(detail::lock_name, file::access::read);
}

NDKEEP_INLINE void local_place::make_folders() {
    for (const char* const folder : detail::folder_names)
        if (folders_.count(folder) == 0)
            folders_[folder] = root_.create_folder(folder, is_new_);
    if (!std::exchange(is_new_, false))
        return;
    // The names of new directories must be durable before any commit in them is acknowledged: a power cut would take
    // the complete dataset with them. First the folders in the directory, then the directory in its parent.
    root_.sync();
    sync_directory(path_.parent_path());
}

NDKEEP_INLINE std::pair<std::string, std::string> local_place::split(const std::string& name) {
    const auto slash = name.find('/');
    return {name.substr(0, slash), name.substr(slash + 1)};
}

namespace detail {

NDKEEP_INLINE std::filesystem::path display_path(const std::filesystem::path& named) {
    // "readings" / "" is "readings/", and "/" is its own parent.
    return named.has_filename() ? named : named.parent_path();
}

NDKEEP_INLINE unsigned threads_for_place(const place& where, unsigned wanted) {
    return wanted == 0 && where.is_distant() ? std::max(threads_for_network, std::thread::hardware_concurrency())
                                             : wanted;
}

NDKEEP_INLINE commit_turn::~commit_turn() {
    // A forked child shares the descriptor and thus the lock. If it unlocked, the parent would lose its turn.
    if (owner_.is_this())
        where_.end_turn();
}

}  // namespace detail

}  // namespace ndkeep
