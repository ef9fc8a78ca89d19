// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/session.hpp>: opening, recovery and the names of a database.
#pragma once

#include <ndkeep/database/detail/session.hpp>

#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <ctime>
#include <exception>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::optional<description> description_in(const std::string& text, const array_info& info,
                                                        const std::filesystem::path& sidecar) {
    if (!begins_sidecar(text))
        return std::nullopt;
    auto both = parse_sidecar(text, sidecar);
    if (both.current.fits(info))
        return std::move(both.current);
    if (both.previous && both.previous->fits(info))
        return std::move(both.previous);
    return std::nullopt;
}

NDKEEP_INLINE json metadata_in(const std::string& text, const array_info& info, const std::filesystem::path& sidecar) {
    auto found = description_in(text, info, sidecar);
    return found ? std::move(found->metadata) : json(json::value_t::object);
}

NDKEEP_INLINE database_session::database_session(const std::filesystem::path& path, const database_options& options,
                                                 std::vector<std::string>* lost)
    : options_(options) {
    if (options_.optimistic && options_.spill != 0)
        throw mismatched(path, "option spill", "0 for an optimistic database", std::to_string(options_.spill));
    bool is_new = false;
    root_ = directory::create(path, is_new);
    hidden_ = root_.create_folder(std::string(database_folder), is_new);
    control_ = std::make_shared<control_file>(hidden_);
    tracker_ = page_tracker::for_files_like(control_->scratch());
    // Also if the process that created it was killed before this point: the control file then says nothing yet.
    if ((is_new || control_->read().boot == 0) && is_durable()) {
        hidden_.sync();
        root_.sync();
        const auto named = path.has_filename() ? path : path.parent_path();
        sync_directory(named.parent_path());
    }
    take_lease();
    recover(lost);
    if (options_.optimistic) {
        hold_base();
        release_lease();
    }
}

NDKEEP_INLINE void database_session::leave() noexcept {
    if (!owner_.is_this())
        return;
    try {
        close();
    } catch (const std::exception&) {
        // What is committed is in the log. The next one who opens the database applies it.
        release_lease();
    }
}

NDKEEP_INLINE void database_session::take_lease() {
    // Optimistic writers have the lease for one commit only, so they wait for each other.
    constexpr std::chrono::milliseconds one_commit = std::chrono::seconds(10);
    const auto patience = options_.optimistic ? std::max(options_.wait, one_commit) : options_.wait;
    if (!control_->take_lease(patience))
        throw conflict_error({.file = path(),
                              .field = "writer",
                              .expected = "no other",
                              .found = holder_text(control_->read()),
                              .hint = options_.optimistic ? "it is not optimistic; try again later"
                                                          : ".wait waits for it, .optimistic allows several writers"});
    has_lease_ = true;
    const control_file::locked alone(*control_);
    auto words = control_->read();
    words.holder = static_cast<std::uint64_t>(owner_.id());
    words.since = static_cast<std::uint64_t>(std::time(nullptr));
    words.host = host_name();
    control_->write(words);
}

NDKEEP_INLINE void database_session::release_lease() noexcept {
    if (std::exchange(has_lease_, false))
        control_->release_lease();
}

NDKEEP_INLINE void database_session::hold_base() {
    std::shared_ptr<reader_hold> next;
    {
        const control_file::locked alone(*control_);
        next = control_->hold(committed_);
    }
    // The former hold is given up outside the control lock, which that needs.
    base_ = std::move(next);
}

NDKEEP_INLINE void database_session::recover(std::vector<std::string>* lost_commits) {
    const auto words = control_->read();
    const bool same_run = words.are_of_this_run(control_->scratch()) && words.applied <= words.committed;
    const auto segments = segments_in(hidden_);
    // Without a log, the commits that were not applied are lost.
    const std::uint64_t first =
        segments.empty() ? std::min(words.applied, words.committed) + 1 : first_commit_of(segments.front());
    // In the same run of the system, the files have what was applied. After a power cut only the log is certain.
    const std::uint64_t base = same_run ? std::max(words.applied, first - 1) : first - 1;
    auto chain = read_log(hidden_, base, file::access::read_write, words.unapplied_at);
    committed_ = chain.commits.empty() ? base : chain.commits.back().record.number;
    const std::uint64_t lost = std::max(chain.lost_up_to, words.committed);
    if (lost > committed_) {
        // The last record alone may be damaged, if its commit cannot be in the files.
        const bool may_be_mixed = !same_run || words.applying > committed_;
        const bool is_error = chain.lost_up_to != 0 || lost > committed_ + 1 || may_be_mixed;
        if (lost_commits != nullptr)
            lost_commits->push_back((committed_ + 1 == lost ? "commit " + std::to_string(lost) + " is lost"
                                                            : "commits " + std::to_string(committed_ + 1) + " to " +
                                                                  std::to_string(lost) + " are lost") +
                                    (may_be_mixed ? "; some of their changes may be in the files" : ""));
        else if (is_error)
            throw damaged_log(hidden_, lost, committed_);
    }
    unapplied_ = std::move(chain.commits);
    segment_ = std::move(chain.last);
    log_end_ = chain.end;
    if (lost > committed_ && segment_ != nullptr)
        clear_from(*segment_, log_end_);
    // Before anything is applied, and before the control file names the commit: the record of a killed commit may be in
    // the page cache only.
    if (!unapplied_.empty() && is_durable()) {
        if (words.committing != 0)
            write_again(*segment_, log_sector, log_end_);
        segment_->source.sync_data();
    }
    std::uint64_t limit = committed_;
    {
        const control_file::locked alone(*control_);
        auto next = control_->read();
        limit = std::min(committed_, control_->oldest_held().value_or(committed_));
        next.committed = committed_;
        next.applied = std::min(base, limit);
        next.applying = std::max(limit, next.applied);
        next.committing = 0;
        control_->write(next);
    }
    // Commits that the files have already may be in the page cache only as well.
    if (base >= first)
        unsynced_ = names_after(root_, {});
    auto applying = applier();
    applying.check_inodes = same_run;
    applying.adopt = options_.adopt;
    const auto end = std::find_if(unapplied_.begin(), unapplied_.end(),
                                  [&](const logged_commit& each) { return each.record.number > limit; });
    for (auto each = unapplied_.begin(); each != end; ++each)
        for (const auto& array : each->record.arrays)
            unsynced_.insert(array.name);
    applying.apply({unapplied_.begin(), end});
    unapplied_.erase(unapplied_.begin(), end);
    {
        const control_file::locked alone(*control_);
        auto next = control_->read();
        next.applied = next.applying = std::max(limit, next.applied);
        control_->stamp(next);
        control_->write(next);
    }
    if (unapplied_.empty())
        retire();
}

NDKEEP_INLINE void database_session::check() const {
    owner_.check(path());
    if (is_closed_)
        throw conflict_error({.file = path(),
                              .field = "database",
                              .expected = "open",
                              .found = why_closed_.empty() ? "closed" : "closed, because " + why_closed_,
                              .hint = "open it again"});
}

NDKEEP_INLINE file* database_session::opened(const std::string& name) {
    const auto found = arrays_.find(name);
    return found == arrays_.end() || found->second->is_removed ? nullptr : &found->second->source();
}

NDKEEP_INLINE commit_applier database_session::applier() {
    commit_applier made(root_, hidden_, [this](const std::string& name) { return opened(name); });
    made.sync = options_.durability == database_durability::full;
    return made;
}

NDKEEP_INLINE std::set<std::string, std::less<>> database_session::names() const {
    check();
    auto names = names_after(root_, unapplied_);
    for (const auto& name : removed_)
        names.erase(name);
    for (const auto& [name, array] : arrays_)
        if (array->is_new)
            names.insert(name);
    return names;
}

NDKEEP_INLINE std::shared_ptr<stored_array> database_session::mapped_array(const std::string& name, file source,
                                                                           const std::string& made_as) const {
    // A process has 2^47 addresses. Hundreds of arrays must leave some of them to the rest of the program.
    const std::uint64_t all = std::min(std::uint64_t{1} << 44, address_limit() / 4);
    const std::uint64_t reserve = std::min(options_.reserve, all / (arrays_.size() + 1));
    const auto tails = options_.optimistic ? stored_array::tail_place::memory : stored_array::tail_place::file;
    auto array = std::make_shared<stored_array>(name, std::move(source), tracker_, reserve, tails);
    array->made_as = made_as;
    return array;
}

NDKEEP_INLINE std::shared_ptr<stored_array> database_session::open(const std::string& name) {
    check();
    const auto absent = [&] {
        return io_error(path() / file_name_of(name), "cannot open",
                        std::make_error_code(std::errc::no_such_file_or_directory));
    };
    if (!is_array_name(name))
        throw mismatched(path(), "name of an array", "a file name without .npy, not hidden", ndkeep::quoted(name));
    if (const auto found = arrays_.find(name); found != arrays_.end())
        return found->second;
    if (removed_.contains(name))
        throw absent();
    const auto place = place_after(unapplied_, name);
    if (place && place->is_removed)
        throw absent();
    const std::string made_as = place && hidden_.status_of(place->made_as) ? place->made_as : std::string();
    auto source = made_as.empty() ? root_.open_file(file_name_of(name), file::access::read_write)
                                  : hidden_.open_file(made_as, file::access::read_write);
    if (!source)
        throw absent();
    source->call(path() / file_name_of(name));
    const auto status = source->status();
    for (const auto& [other, array] : arrays_) {
        const auto its = array->source().status();
        if (its.st_ino == status.st_ino && its.st_dev == status.st_dev)
            throw conflict_error({.file = source->path(),
                                  .field = "file",
                                  .expected = "no second name of an array",
                                  .found = "a hard link of " + ndkeep::quoted(other)});
    }
    auto array = mapped_array(name, *std::move(source), made_as);
    bool counts = !place;
    for (const auto& commit : unapplied_)
        for (std::size_t i = 0; i < commit.record.arrays.size(); ++i) {
            const auto& change = commit.record.arrays[i];
            if (change.name != name)
                continue;
            counts = counts || (place && change.made_as == place->made_as && !change.made_as.empty());
            if (!counts)
                continue;
            array->lay(commit, change, commit.images_of(i));
            if (change.sidecar)
                array->sidecar = change.sidecar;
        }
    array->read_header();
    arrays_.emplace(name, array);
    return array;
}

NDKEEP_INLINE std::shared_ptr<stored_array> database_session::create(const std::string& name,
                                                                     const array_info& wanted) {
    check();
    if (!is_array_name(name))
        throw mismatched(path(), "name of an array", "a file name without .npy, not hidden", ndkeep::quoted(name));
    if (names().contains(name))
        throw io_error(path() / file_name_of(name), "cannot create", std::make_error_code(std::errc::file_exists),
                       "open it, or remove it first");
    array_info info = wanted;
    // A page, so that elements are aligned as well as memory can be, and the header has room for any shape.
    const std::uint64_t least = least_header_length(info);
    info.data_offset = least <= 4096 ? 4096 : (least + 8191) / 4096 * 4096;
    info.version = parse_header(bytes_of(header_bytes(info, {.length = info.data_offset})), path()).version;
    (void)checked_nbytes(info.type, info.shape, path() / file_name_of(name));
    const std::string made_as = std::string(created_prefix) + hexadecimal(random_bits());
    auto source = hidden_.create_file(made_as);
    source.call(path() / file_name_of(name));
    try {
        auto array = mapped_array(name, std::move(source), made_as);
        array->create(info);
        arrays_[name] = array;
        return array;
    } catch (...) {
        hidden_.remove(made_as);
        throw;
    }
}

NDKEEP_INLINE void database_session::drop_new_file(stored_array& array) noexcept {
    try {
        hidden_.remove(array.made_as);
    } catch (const error&) {
        // The next one who opens the database removes it.
    }
    array.is_removed = true;
}

NDKEEP_INLINE void database_session::remove(const std::string& name) {
    const auto array = open(name);
    array->is_removed = true;
    arrays_.erase(name);
    if (!array->is_new) {
        dropped_.push_back(array);
    } else {
        // A savepoint may still lead back to it, so its file stays until the commit or the abort.
        if (savepoints_.empty())
            drop_new_file(*array);
    }
    // The committed array of this name, unless the transaction had removed that before.
    const auto place = place_after(unapplied_, name);
    if (place ? !place->is_removed : root_.status_of(file_name_of(name)).has_value())
        removed_.insert(name);
}

NDKEEP_INLINE json database_session::stored_metadata(const stored_array& array) const {
    if (array.is_new)
        return json(json::value_t::object);
    const auto text = array.sidecar ? array.sidecar : text_in(root_, sidecar_path(file_name_of(array.name())).string());
    return metadata_in(text.value_or(""), array.committed_info(), sidecar_path(array.path()));
}

NDKEEP_INLINE json& database_session::metadata(const std::string& name) {
    const auto array = open(name);
    if (!array->metadata)
        array->metadata = array->committed_metadata = stored_metadata(*array);
    return *array->metadata;
}

NDKEEP_INLINE void database_session::spill() {
    check();
    std::uint64_t bytes = 0;
    for (const auto& [name, array] : arrays_)
        bytes += array->dirty_bytes();
    if (options_.spill == 0 ? bytes <= memory_limit() / 4 * 3 : bytes <= options_.spill)
        return;
    if (options_.spill == 0)
        throw mismatched(path(), "changes in memory", "at most " + counted(memory_limit() / 4 * 3, "byte"),
                         counted(bytes, "byte"), "commit more often, or open the database with .spill");
    for (const auto& [name, array] : arrays_)
        array->spill([this] {
            // Without a name at once, so that a killed process leaves nothing.
            const std::string shadow = std::string(created_prefix) + hexadecimal(random_bits());
            auto made = hidden_.create_file(shadow);
            hidden_.remove(shadow);
            return made;
        });
}

NDKEEP_INLINE bool database_session::has_changes() const {
    check();
    return !removed_.empty() || !documents_.empty() ||
           std::any_of(arrays_.begin(), arrays_.end(), [](const auto& each) {
               auto& array = *each.second;
               return array.changes().any() || (array.metadata && *array.metadata != array.committed_metadata);
           });
}

NDKEEP_INLINE std::optional<std::string> database_session::document(const std::string& name) const {
    check();
    if (const auto found = documents_.find(name); found != documents_.end())
        return found->second.empty() ? std::nullopt : std::optional(found->second);
    return document_after(hidden_, unapplied_, name);
}

}  // namespace ndkeep::detail
