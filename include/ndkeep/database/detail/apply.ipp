// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/apply.hpp>.
//
// For each array only the last commit that creates or removes it counts, and what follows. An earlier image could
// belong to another file of that name, and an earlier removal would remove a file that was created later.
//
// 1. A new file is renamed from the hidden folder to its name. If it is not in the folder, that has been done before.
// 2. Images are written at their offsets, the header among them.
// 3. The sidecar is replaced or removed.
#pragma once

#include <ndkeep/database/detail/apply.hpp>

#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/durability.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::optional<array_place> place_after(std::span<const logged_commit> commits, std::string_view name) {
    std::optional<array_place> place;
    for (const auto& commit : commits)
        for (const auto& array : commit.record.arrays)
            if (array.name == name && (array.removed || !array.made_as.empty()))
                place = {array.removed, array.made_as};
    return place;
}

NDKEEP_INLINE std::set<std::string, std::less<>> names_after(const directory& root,
                                                             std::span<const logged_commit> commits) {
    std::set<std::string, std::less<>> names;
    for (const auto& file : root.names())
        if (const auto name = array_name_of(file); !name.empty())
            names.emplace(name);
    for (const auto& commit : commits)
        for (const auto& array : commit.record.arrays)
            if (array.removed)
                names.erase(array.name);
            else if (!array.made_as.empty())
                names.insert(array.name);
    return names;
}

NDKEEP_INLINE std::optional<std::string> document_after(const directory& hidden, std::span<const logged_commit> commits,
                                                        const std::string& name) {
    for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit)
        for (const auto& document : commit->record.documents)
            if (document.name == name)
                return document.text.empty() ? std::nullopt : std::optional(document.text);
    return text_in(hidden, name, std::numeric_limits<std::uint64_t>::max());
}

NDKEEP_INLINE std::optional<std::string> text_in(const directory& folder, const std::string& name, std::uint64_t most) {
    const auto status = folder.status_of(name);
    if (!status)
        return std::nullopt;
    if (!S_ISREG(status->st_mode))
        return std::string();
    const auto source = folder.open_file(name);
    if (!source)
        return std::nullopt;
    std::string text(static_cast<std::size_t>(std::min(source->size(), most)), '\0');
    source->read(0, std::as_writable_bytes(std::span(text)));
    return text;
}

NDKEEP_INLINE void commit_applier::apply(std::span<const logged_commit> commits) {
    std::map<std::string, std::size_t, std::less<>> first_that_counts;
    std::map<std::string, std::size_t, std::less<>> last_document;
    for (std::size_t i = 0; i < commits.size(); ++i) {
        for (const auto& array : commits[i].record.arrays)
            if (array.removed || !array.made_as.empty())
                first_that_counts[array.name] = i;
        for (const auto& document : commits[i].record.documents)
            last_document[document.name] = i;
    }
    for (std::size_t i = 0; i < commits.size(); ++i) {
        for (std::size_t j = 0; j < commits[i].record.arrays.size(); ++j)
            if (const auto from = first_that_counts.find(commits[i].record.arrays[j].name);
                from == first_that_counts.end() || from->second <= i)
                apply(commits[i], j);
        for (const auto& document : commits[i].record.documents)
            if (last_document[document.name] == i)
                replace(hidden_, document.name, document.text, nullptr);
    }
}

NDKEEP_INLINE void commit_applier::apply(const logged_commit& commit, std::size_t array) {
    const auto& change = commit.record.arrays[array];
    const std::string name = file_name_of(change.name);
    const std::string sidecar = sidecar_path(name).string();
    const auto number = [&] { return "commit " + std::to_string(commit.record.number) + " of the log"; };
    // Step 1.
    if (!change.made_as.empty() && hidden_.status_of(change.made_as))
        hidden_.rename(change.made_as, root_, name);
    const auto status = root_.status_of(name);
    if (check_inodes && status && status->st_ino != change.inode) {
        if (adopt)
            return;
        throw conflict_error({.file = root_.path() / name,
                              .field = "file",
                              .expected = "the one that " + number() + " changes",
                              .found = "another one, written by another program",
                              .hint = ".adopt = true keeps the file and drops the commit's changes of it"});
    }
    if (change.removed) {
        root_.remove(name);
        replace(root_, sidecar, {}, nullptr);
        return;
    }
    if (!status) {
        if (adopt)
            return;
        throw conflict_error({.file = root_.path() / name,
                              .field = "file",
                              .expected = "present, because " + number() + " changes it",
                              .found = "absent",
                              .hint = ".adopt = true accepts that"});
    }
    // Step 2.
    file* to = opened_(change.name);
    std::optional<file> own;
    if (to == nullptr) {
        own = root_.open_file(name, file::access::read_write);
        if (!own)
            throw io_error(root_.path() / name, "cannot open",
                           std::make_error_code(std::errc::no_such_file_or_directory));
        to = &*own;
    }
    auto images = commit.images_of(array);
    for (const auto& image : change.images) {
        const auto length = static_cast<std::size_t>(image.last - image.first);
        to->write(image.first, images.first(length));
        images = images.subspan(length);
    }
    if (sync)
        to->sync_data();
    // Step 3.
    if (change.sidecar)
        replace(root_, sidecar, *change.sidecar, &*status);
}

NDKEEP_INLINE void commit_applier::replace(directory& in, const std::string& name, const std::string& text,
                                           const struct stat* like) {
    // A file of another program under the name of a sidecar is not ours to remove.
    const bool is_sidecar_name = &in == &root_;
    if (text.empty()) {
        if (!is_sidecar_name || begins_sidecar(text_in(in, name).value_or("")))
            in.remove(name);
        return;
    }
    const std::string temporary = std::string(created_prefix) + "text";
    hidden_.remove(temporary);
    auto made = hidden_.create_file(temporary);
    made.write(0, bytes_of(text));
    if (like != nullptr)
        made.set_mode(like->st_mode);
    if (sync)
        made.sync();
    hidden_.rename(temporary, in, name);
}

}  // namespace ndkeep::detail
