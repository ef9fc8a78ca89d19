// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/locks/lease.hpp>.
#pragma once

#include <ndkeep/os/locks/lease.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE bool core::is_in_database(const std::filesystem::path& file) noexcept {
    return ::access((file.parent_path() / detail::database_folder / detail::locks_name).c_str(), F_OK) == 0;
}

NDKEEP_INLINE detail::shared_lease::shared_lease(const std::filesystem::path& file) {
    if (!core::is_in_database(file))
        return;
    const auto hidden = file.parent_path() / database_folder;
    const auto refuse = [&](std::string found, std::string hint) {
        throw conflict_error({.file = file,
                              .field = "writer",
                              .expected = "no open database",
                              .found = std::move(found),
                              .hint = std::move(hint)});
    };
    held_.emplace(ndkeep::file::open(hidden / locks_name));
    if (!held_->lock_shared(lease_byte))
        refuse("a database that has its directory open", "write through the database, or close it first");
    // The next opening of the database would lay these commits over the new content.
    const auto names = names_in(hidden);
    if (std::any_of(names.begin(), names.end(), [](const auto& name) { return name.starts_with(segment_prefix); }))
        refuse("a database with commits that its files may not have", "open and close the database first");
}

}  // namespace ndkeep
