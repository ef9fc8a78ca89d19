// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/staged_files.hpp>.
#pragma once

#include <ndkeep/store/staged_files.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/store/layout.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::string staged_files::put(place::parts bytes, std::uint64_t row, std::string_view ending) {
    for (;;) {
        std::string name = new_name(row, ending);
        // Step 1 syncs only the files that the commit names, so merged ones never wait for the disk.
        const bool is_new = place_.put(chunk_path(name), bytes, durability::when_convenient);
        names_unsynced_ = true;
        if (is_new)
            return name;
        // The name belongs to another writer's file, which `remove` must not touch.
        forget(name);
    }
}

NDKEEP_INLINE void staged_files::sync(const std::set<std::string>& wanted) {
    // The index moves on after each success only, so a commit that is made again checks the failing file once more.
    for (; synced_ < names_.size(); ++synced_)
        if (wanted.count(names_[synced_]) != 0)
            sync(names_[synced_]);
}

NDKEEP_INLINE void staged_files::sync(const std::string& name) {
    once([&] {
        try {
            place_.sync(chunk_path(name));
        } catch (const io_error& problem) {
            // An absent file was swept. The commit fails with a conflict, and the rows can be written again.
            if (problem.code() != std::errc::no_such_file_or_directory)
                throw;
            failed_ = false;  // the file is absent; no write was lost
            missing(name);
        }
    });
}

NDKEEP_INLINE void staged_files::check(const std::set<std::string>& wanted) {
    for (; synced_ < names_.size(); ++synced_)
        if (wanted.count(names_[synced_]) != 0 && !place_.size(chunk_path(names_[synced_])))
            missing(names_[synced_]);
}

NDKEEP_INLINE void staged_files::sync_names() {
    // One sync of the folder covers all names put so far.
    if (names_unsynced_)
        once([&] { place_.sync_names(chunks_folder); });
    names_unsynced_ = false;
}

NDKEEP_INLINE std::vector<std::string> staged_files::release() noexcept {
    // The counter goes on: the released names are in use.
    synced_ = 0;
    return std::exchange(names_, {});
}

NDKEEP_INLINE void staged_files::remove() noexcept {
    for (const auto& name : release()) {
        try {
            place_.remove(chunk_path(name));
        } catch (...) {
            // An orphan now, which a sweep removes.
        }
    }
}

NDKEEP_INLINE void staged_files::missing(const std::string& name) const {
    throw conflict_error(
        {.file = place_.called(chunk_path(name)), .field = "staged file", .found = "removed by another program"});
}

NDKEEP_INLINE void staged_files::forget(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    std::erase(names_, name);
}

NDKEEP_INLINE std::string staged_files::new_name(std::uint64_t row, std::string_view ending) {
    const std::scoped_lock lock(mutex_);
    names_.push_back(staged_name(row, writer_, counter_++, ending));
    return names_.back();
}

}  // namespace ndkeep::detail
