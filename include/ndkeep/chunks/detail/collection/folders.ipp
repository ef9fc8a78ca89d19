// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/collection/folders.hpp>.
#pragma once

#include <ndkeep/chunks/detail/collection/folders.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/place.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The NAME in the hidden names of removed folders: `.removed.RANDOM.ndk`.
inline constexpr const char* removed_name = "removed";

/// Opens a folder, links followed; nullopt if the name is absent or is none of a folder.
/// @throws io_error  it cannot be opened
[[nodiscard]] NDKEEP_INLINE std::optional<directory> folder_at(const std::filesystem::path& path) {
    try {
        return directory::open(path);
    } catch (const io_error& problem) {
        if (problem.code() == std::errc::not_a_directory || problem.code() == std::errc::too_many_symbolic_link_levels)
            return std::nullopt;
        throw;
    }
}

/// The names in a folder; none if it was removed since it was opened.
[[nodiscard]] NDKEEP_INLINE std::vector<std::string> names_still_in(const directory& folder) {
    try {
        return folder.names();
    } catch (const io_error& problem) {
        if (problem.code() == std::errc::no_such_file_or_directory)
            return {};
        throw;
    }
}

/// Whether a folder has the record of a commit. A writer makes the folder of records before its first commit.
[[nodiscard]] NDKEEP_INLINE bool has_commit(const std::filesystem::path& path) {
    const auto commits = folder_at(path / commits_folder);
    if (!commits)
        return false;
    const auto names = names_still_in(*commits);
    return std::any_of(names.begin(), names.end(),
                       [](const std::string& name) { return record_number(name).has_value(); });
}

/// A name in a folder that belongs to no chunked array; nullopt if there is none. Hidden names do not count: systems
/// and file managers leave them.
[[nodiscard]] NDKEEP_INLINE std::optional<std::string> stranger_in(const directory& folder) {
    for (auto& name : names_still_in(folder))
        if (!name.starts_with('.') && name != lock_name &&
            std::find(folder_names.begin(), folder_names.end(), name) == folder_names.end())
            return std::move(name);
    return std::nullopt;
}

/// Whether this is the name of a file that chunked arrays have in one of their folders.
/// @param is_array  records may name files that writers of ndkeep would not name so
[[nodiscard]] NDKEEP_INLINE bool is_name_in(std::string_view folder, std::string_view name, bool is_array) {
    if (const auto meant = named_by_temporary(name); !meant.empty())
        name = meant;
    if (folder == commits_folder)
        return record_number(name) || commit_path(name) == drawn_id_path();
    return is_chunk_name(name) && (is_array || std::count(name.begin(), name.end(), '-') == 2);
}

/// A path in a folder, or in its folders of records and chunks, that belongs to no chunked array; nullopt if there is
/// none.
/// @param is_array  hidden files do not count then
[[nodiscard]] NDKEEP_INLINE std::optional<std::filesystem::path> stranger_within(const directory& folder,
                                                                                 bool is_array) {
    const auto is_foreign = [is_array](const std::string& name, const struct stat& status) {
        return !name.starts_with('.') || S_ISDIR(status.st_mode) || (!is_array && named_by_temporary(name).empty());
    };
    for (const auto& name : names_still_in(folder)) {
        const auto status = folder.status_of(name);
        if (!status)
            continue;  // another removal deletes it
        const bool is_folder = S_ISDIR(status->st_mode);
        if (std::find(folder_names.begin(), folder_names.end(), name) == folder_names.end()) {
            if (name == lock_name ? is_folder : is_foreign(name, *status))
                return name;
            continue;
        }
        if (!is_folder)
            return name;
        if (const auto inner = folder.open_folder(name))
            for (const auto& each : names_still_in(*inner)) {
                if (is_name_in(name, each, is_array))
                    continue;
                if (const auto found = inner->status_of(each); found && is_foreign(each, *found))
                    return std::filesystem::path(name) / each;
            }
    }
    return std::nullopt;
}

/// The locks of a folder; nullopt if the file is absent.
[[nodiscard]] NDKEEP_INLINE std::optional<byte_locks> locks_in(const directory& folder, file::access wanted) {
    if (auto opened = folder.open_file(lock_name, wanted))
        return byte_locks(std::move(*opened));
    return std::nullopt;
}

/// Deletes what has this name. An error is ignored, because another removal tries again.
/// @returns whether all of it is deleted
NDKEEP_INLINE bool delete_quietly(directory& above, const std::string& hidden) {
    try {
        above.remove_tree(hidden);
        return true;
    } catch (const io_error&) {
        return false;
    }
}

/// Whether a reader has the folder open, or a removal is deleting it. Of a folder that cannot be opened nobody knows.
[[nodiscard]] NDKEEP_INLINE bool is_in_use(const directory& above, const std::string& hidden) {
    if (is_link(above.path() / hidden))
        return false;  // the folder that it leads to is not deleted
    try {
        const auto folder = above.open_folder(hidden);
        const auto locks = folder ? locks_in(*folder, file::access::read) : std::nullopt;
        return locks && locks->held_below(lock_writing + 1);
    } catch (const io_error&) {
        return true;
    }
}

/// Deletes removed folders that are not in use.
/// @returns whether any was deleted
NDKEEP_INLINE bool delete_removed(directory& above) {
    bool deleted = false;
    for (const auto& name : names_still_in(above))
        if (named_by_temporary(name) == removed_name && !is_in_use(above, name))
            deleted |= delete_quietly(above, name);
    return deleted;
}

NDKEEP_INLINE key_folders::key_folders(const std::filesystem::path& root, key_form form)
    : key_store(display_path(root), std::move(form)) {}

NDKEEP_INLINE std::vector<key_texts> key_folders::keys(const key_texts& prefix) const {
    check_key_texts(form_, prefix, root_);
    std::vector<key_texts> found;
    key_texts above;
    collect(root_, prefix, above, found);
    return found;
}

NDKEEP_INLINE void key_folders::collect(const std::filesystem::path& folder, const key_texts& prefix, key_texts& above,
                                        std::vector<key_texts>& found) const {
    const std::size_t depth = above.size();
    if (depth == form_.fields.size()) {
        if (has_commit(folder))
            found.push_back(above);
        return;
    }
    std::vector<std::string> names;
    if (depth < prefix.size()) {
        names = {prefix[depth]};
    } else if (const auto opened = folder_at(folder)) {
        names = sorted_fields(names_still_in(*opened), depth);
    }
    for (auto& name : names) {
        above.push_back(std::move(name));
        collect(folder / above.back(), prefix, above, found);
        above.pop_back();
    }
}

NDKEEP_INLINE bool key_folders::contains(const key_texts& key) const { return has_commit(path(key)); }

NDKEEP_INLINE std::string key_folders::identity(const key_texts& key) const {
    const auto found = identity_of(path(key));
    if (!found)
        return {};
    std::string text;
    for (const auto number :
         {static_cast<std::uint64_t>(found->device), static_cast<std::uint64_t>(found->inode),
          static_cast<std::uint64_t>(found->mode), static_cast<std::uint64_t>(found->stamp.mtime_ns),
          static_cast<std::uint64_t>(found->stamp.size)})
        text += std::to_string(number) + ' ';
    return text;
}

NDKEEP_INLINE std::optional<directory> key_folders::created(const key_texts& key, durability wanted) const {
    const auto synced = [&](bool is_new, const std::filesystem::path& above) {
        if (is_new && wanted == durability::on_disk)
            sync_directory(above);
    };
    bool is_new = false;
    auto folder = directory::create(root_, is_new);
    synced(is_new, root_.parent_path());
    try {
        for (const auto& text : key) {
            is_new = false;
            auto inner = directory::create(folder.path() / text, is_new);
            synced(is_new, folder.path());
            folder = std::move(inner);
        }
    } catch (const io_error& problem) {
        // A link that leads nowhere stays so, however often its folder is created.
        if (problem.code() == std::errc::no_such_file_or_directory && !is_link(problem.file()))
            return std::nullopt;
        throw;
    }
    return folder;
}

NDKEEP_INLINE byte_locks key_folders::kept_for_writer(const key_texts& key, durability wanted) const {
    const auto target = path(key);
    // Each try fails only because a removal has succeeded, so that many in a row mean that a program removes in a loop.
    constexpr int most_tries = 1000;
    for (int tries = 0; tries < most_tries; ++tries) {
        auto folder = created(key, wanted);
        if (!folder)
            continue;
        try {
            auto locks = locks_in(*folder, file::access::read_write);
            if (!locks) {
                if (stranger_in(*folder))
                    return {};  // the writer refuses the folder, which stays as it was
                folder->create_shared_file(lock_name);
                locks = locks_in(*folder, file::access::read_write);
            }
            if (!locks)
                continue;
            // Where the file system has no locks, only the check of the path is left.
            (void)locks->lock_shared_within(lock_writing, usual_patience);
            if (folder->is_at(target))
                return std::move(*locks);
        } catch (const io_error& problem) {
            // The lock file cannot be opened or created: the writer does without it too, or reports why it cannot.
            if (problem.code() != std::errc::no_such_file_or_directory)
                return {};
        }
    }
    throw conflict_error({.file = target, .found = "other processes remove it as often as it is created"});
}

NDKEEP_INLINE bool key_folders::remove(const key_texts& key) const {
    const auto target = path(key);
    const auto [was_there, is_moved] = moved_away(target);
    remove_empty_above(target, is_moved);
    return was_there;
}

NDKEEP_INLINE std::pair<bool, bool> key_folders::moved_away(const std::filesystem::path& target) {
    for (;;) {  // again only if another removal has succeeded
        auto folder = folder_at(target);
        if (!folder)
            return {false, false};
        const bool was_there = has_commit(target);
        if (const auto name = stranger_within(*folder, was_there)) {
            if (!was_there)
                return {false, false};  // a foreign folder
            throw conflict_error({.file = target / *name,
                                  .found = "a foreign name in the folder of a chunked array",
                                  .hint = "move it away, then remove the array again"});
        }
        std::optional<byte_locks> locks;
        try {
            folder->create_shared_file(lock_name);
            locks = locks_in(*folder, file::access::read_write);
        } catch (const io_error& problem) {
            if (problem.code() != std::errc::no_such_file_or_directory)
                throw;
        }
        if (!locks)
            continue;
        // Long enough for another removal to rename the folder; until then it holds this lock as well.
        constexpr std::chrono::milliseconds patience{100};
        const bool is_alone = locks->lock_within(lock_writing, patience);
        if (!folder->is_at(target))
            continue;
        // If nobody holds the lock, the file system has none.
        if (!is_alone && locks->held_between(lock_writing, lock_writing + 1))
            throw conflict_error(
                {.file = target, .field = "chunked array", .expected = "no open writer", .found = "open in a writer"});
        auto above = directory::open(target.parent_path());
        if (!above)
            continue;
        const auto hidden = temporary_name(removed_name);
        above->rename(target.filename().string(), *above, hidden);
        above->sync();
        // Asked through the locks that are held here, because these would count for others.
        if (!locks->held_below(lock_writing))
            delete_quietly(*above, hidden);
        return {was_there, true};
    }
}

NDKEEP_INLINE void key_folders::remove_empty_above(const std::filesystem::path& target, bool is_moved) const {
    auto at = target.parent_path();
    auto above = folder_at(at);
    if (!above || (!delete_removed(*above) && !is_moved))
        return;
    // The folder of the collection stays.
    for (std::size_t depth = form_.fields.size(); depth > 1; --depth, at = at.parent_path()) {
        try {
            auto outer = directory::open(at.parent_path());
            if (!outer || !outer->remove_folder(at.filename().string()))
                return;
        } catch (const io_error&) {
            return;  // an empty folder does no harm
        }
    }
}

NDKEEP_INLINE void key_folders::tidy(const std::filesystem::path& folder, std::size_t depth) const {
    auto opened = folder_at(folder);
    if (!opened)
        return;
    (void)delete_removed(*opened);
    if (depth + 1 == form_.fields.size())
        return;
    for (const auto& name : names_still_in(*opened)) {
        if (!is_key_text(form_.fields[depth], name))
            continue;
        tidy(folder / name, depth + 1);
        try {
            (void)opened->remove_folder(name);
        } catch (const io_error&) {
            // An empty folder does no harm.
        }
    }
}

}  // namespace detail

}  // namespace ndkeep
