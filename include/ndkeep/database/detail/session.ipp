// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/session.hpp>.
//
// The order of a commit. A kill or a power cut at any step leaves all of it or nothing.
//
//  1. Hold the lease. Optimistic writers take it now, and check that other commits changed other pages.
//  2. Check that no other program has changed a file. Find the changed pages of each array.
//  3. Write changed pages of new rows to the files. No commit counts them yet.
//  4. Reserve disk space for the log and for holes. A full disk is an error here, and nothing has changed.
//  5. Sync the files with new rows, and new files.
//  6. Write the record, its header last, and sync the log: the commit point.
//  7. Publish the number in the control file. Readers take it from now on.
//  8. Apply commits to the files, as far as no living reader holds an older one. Write first, and drop the private
//  pages
//     second: memory never shows an older value in between.
//  9. If the log is long and everything is applied: sync the files, then remove the log.
//
// Recovery repeats steps 8 and 9 for the records in the log.
#pragma once

#include <ndkeep/database/detail/session.hpp>

#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <exception>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The log is retired when it is longer than this.
inline constexpr std::uint64_t long_log = std::uint64_t{64} << 20;

/// What a commit is about to change.
struct database_session::pending {
    commit_record record;
    std::vector<std::pair<std::shared_ptr<stored_array>, array_changes>> arrays;  // parallel to the record's arrays
    std::vector<std::span<const std::byte>> images;
    std::optional<log_write> log;
    kept_bytes payload;
};

NDKEEP_INLINE json metadata_in(const std::string& text, const array_info& info, const std::filesystem::path& sidecar) {
    if (!text.empty() && begins_sidecar(text)) {
        const auto both = parse_sidecar(text, sidecar);
        if (both.current.fits(info))
            return both.current.metadata;
        if (both.previous && both.previous->fits(info))
            return both.previous->metadata;
    }
    return json(json::value_t::object);
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
    if ((is_new || control_->read().boot == 0) && options_.durability != database_durability::none) {
        hidden_.sync();
        root_.sync();
        const auto named = path.has_filename() ? path : path.parent_path();
        sync_directory(named.parent_path());
    }
    take_lease();
    recover(lost);
    if (options_.optimistic) {
        {
            const control_file::locked alone(*control_);
            base_ = control_->hold(committed_);
        }
        control_->release_lease();
        has_lease_ = false;
    }
}

NDKEEP_INLINE void database_session::leave() noexcept {
    if (!owner_.is_this())
        return;
    try {
        close();
    } catch (const std::exception&) {
        // What is committed is in the log. The next one who opens the database applies it.
        control_->release_lease();
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
    note_holder(words);
    control_->write(words);
}

NDKEEP_INLINE void database_session::note_holder(control_words& words) const {
    words.holder = static_cast<std::uint64_t>(owner_.id());
    words.since = static_cast<std::uint64_t>(std::time(nullptr));
    words.host = host_name();
}

NDKEEP_INLINE void database_session::recover(std::vector<std::string>* lost_commits) {
    const auto words = control_->read();
    const bool same_run = words.boot != 0 && words.boot == boot_identity() &&
                          words.identity == control_->scratch().status().st_ino && words.applied <= words.committed;
    const auto segments = segments_in(hidden_);
    // Without a log, the commits that were not applied are lost.
    const std::uint64_t first =
        segments.empty() ? std::min(words.applied, words.committed) + 1 : first_commit_of(segments.front());
    // In the same run of the system, the files have what was applied. After a power cut only the log is certain.
    const std::uint64_t base = same_run ? std::max(words.applied, first - 1) : first - 1;
    auto chain = read_log(hidden_, base, file::access::read_write);
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
            throw format_error({.file = hidden_.path(),
                                .field = "log",
                                .expected = "commits up to " + std::to_string(lost),
                                .found = committed_ + 1 == lost ? "commit " + std::to_string(lost) + " damaged"
                                                                : "commits " + std::to_string(committed_ + 1) + " to " +
                                                                      std::to_string(lost) + " damaged or lost",
                                .hint = "recover_database goes back to commit " + std::to_string(committed_)});
    }
    unapplied_ = std::move(chain.commits);
    segment_ = std::move(chain.last);
    log_end_ = chain.end;
    if (lost > committed_ && segment_ != nullptr)
        clear_from(*segment_, log_end_);
    // Before anything is applied, and before the control file names the commit: the record of a killed commit may be in
    // the page cache only.
    if (!unapplied_.empty() && options_.durability != database_durability::none) {
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

NDKEEP_INLINE std::uint64_t database_session::next_reservation() const {
    // A process has 2^47 addresses. Hundreds of arrays must leave some of them to the rest of the program.
    constexpr std::uint64_t all = std::uint64_t{1} << 44;
    return std::min(options_.reserve, all / (arrays_.size() + 1));
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
    const auto tails = options_.optimistic ? stored_array::tail_place::memory : stored_array::tail_place::file;
    auto array = std::make_shared<stored_array>(name, *std::move(source), tracker_, next_reservation(), tails);
    array->made_as = made_as;
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
    info.data_offset = 4096;
    info.version = 1;
    if (least_header_length(info) > info.data_offset) {
        info.data_offset = (least_header_length(info) + 8191) / 4096 * 4096;
        info.version = 0;
        info.version =
            parse_header(bytes_of(header_bytes(info, {.version = 0, .length = info.data_offset})), path()).version;
    }
    (void)checked_nbytes(info.type, info.shape, path() / file_name_of(name));
    const std::string made_as = std::string(created_prefix) + hexadecimal(random_bits());
    auto source = hidden_.create_file(made_as);
    source.call(path() / file_name_of(name));
    const auto tails = options_.optimistic ? stored_array::tail_place::memory : stored_array::tail_place::file;
    try {
        auto array = std::make_shared<stored_array>(name, std::move(source), tracker_, next_reservation(), tails);
        array->made_as = made_as;
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

NDKEEP_INLINE void database_session::load_metadata(stored_array& array) const {
    if (array.metadata)
        return;
    json loaded = json(json::value_t::object);
    if (!array.is_new) {
        std::optional<std::string> text = array.sidecar;
        if (!text)
            text = text_in(root_, sidecar_path(file_name_of(array.name())).string());
        if (text)
            loaded = metadata_in(*text, array.committed_info(), sidecar_path(array.path()));
    }
    array.committed_metadata = loaded;
    array.metadata = std::move(loaded);
}

NDKEEP_INLINE json& database_session::metadata(const std::string& name) {
    const auto array = open(name);
    load_metadata(*array);
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

NDKEEP_INLINE std::optional<std::string> database_session::sidecar_for(stored_array& array,
                                                                       const array_changes& changed) {
    const auto sidecar_file = sidecar_path(path() / file_name_of(array.name()));
    const bool has_new_metadata = array.metadata && *array.metadata != array.committed_metadata;
    if (!changed.any() && !has_new_metadata)
        return std::nullopt;
    std::optional<std::string> text = array.is_new ? std::nullopt : array.sidecar;
    const bool is_logged = text.has_value();
    if (!text)
        text = text_in(root_, sidecar_file.filename().string());
    if (text && !is_logged && !begins_sidecar(*text)) {
        if (has_new_metadata)
            throw conflict_error({.file = sidecar_file,
                                  .field = "file",
                                  .expected = "a sidecar of ndkeep",
                                  .found = "a file of another program"});
        return std::nullopt;
    }
    const bool is_present = text && !text->empty();
    if (array.is_new && !has_new_metadata)
        // A sidecar that another array of this name has left describes other data.
        return is_present ? std::optional<std::string>("") : std::nullopt;
    if (!is_present && !has_new_metadata)
        return std::nullopt;
    std::optional<description> former;
    if (is_present && !array.is_new) {
        const auto both = parse_sidecar(*text, sidecar_file);
        if (both.current.fits(array.committed_info()))
            former = both.current;
        else if (both.previous && both.previous->fits(array.committed_info()))
            former = both.previous;
    }
    // Sums and statistics describe the data before the commit. Metadata alone changes none of them.
    if (former && !changed.any()) {
        former->metadata = kept_metadata(*array.metadata, sidecar_file);
        return sidecar_text({*former, std::nullopt});
    }
    auto next = described(array.info());
    if (has_new_metadata)
        next.metadata = kept_metadata(*array.metadata, sidecar_file);
    else if (former)
        next.metadata = former->metadata;
    if (former && former->sums.empty() && !former->statistics && !former->stamp && former->fits(array.info()) &&
        former->metadata == next.metadata)
        return std::nullopt;
    return sidecar_text({next, std::nullopt});
}

NDKEEP_INLINE void database_session::check_foreign(stored_array& array) {
    // Another optimistic writer may have applied the commit that created the array.
    if (!array.made_as.empty() && !array.is_new && !hidden_.status_of(array.made_as))
        array.made_as.clear();
    const auto named =
        array.made_as.empty() ? root_.status_of(file_name_of(array.name())) : hidden_.status_of(array.made_as);
    if (!array.is_foreign(named))
        return;
    const bool is_same = named && named->st_ino == array.source().status().st_ino;
    if (options_.adopt && is_same && array.source().size() >= data_end(array.committed_info())) {
        array.stamp();
        return;
    }
    throw conflict_error({.file = array.path(),
                          .field = "file",
                          .expected = "as the last commit left it",
                          .found = !named    ? "removed by another program"
                                   : is_same ? "changed by another program"
                                             : "replaced by another program",
                          .hint = is_same ? ".adopt = true accepts it" : "open the database again"});
}

NDKEEP_INLINE void database_session::prepare(pending& next) {
    next.record.number = committed_ + 1;
    for (const auto& array : dropped_)
        check_foreign(*array);
    for (const auto& name : removed_)
        if (const auto found = arrays_.find(name); found == arrays_.end()) {
            array_change change{.name = name, .removed = true};
            for (const auto& array : dropped_)
                if (array->name() == name)
                    change.inode = array->source().status().st_ino;
            next.record.arrays.push_back(std::move(change));
            next.arrays.emplace_back(nullptr, array_changes());
        }
    for (const auto& [name, array] : arrays_) {
        check_foreign(*array);
        if (array->is_new && !removed_.contains(name) && !place_after(unapplied_, name) &&
            root_.status_of(file_name_of(name)))
            throw conflict_error({.file = array->path(),
                                  .field = "file",
                                  .expected = "absent, because this transaction creates it",
                                  .found = "created by another program"});
        auto changed = array->changes();
        auto sidecar = sidecar_for(*array, changed);
        if (!changed.any() && !sidecar)
            continue;
        array_change change{.name = name, .inode = array->source().status().st_ino};
        if (array->is_new)
            change.made_as = array->made_as;
        change.end = data_end(array->info());
        change.tail = changed.tail;
        change.images = changed.images;
        change.sidecar = std::move(sidecar);
        next.record.arrays.push_back(std::move(change));
        next.arrays.emplace_back(array, std::move(changed));
    }
    for (const auto& [name, text] : documents_)
        next.record.documents.push_back({name, text});
}

template <class Sync>
void database_session::synced(Sync&& sync) {
    try {
        sync();
    } catch (const io_error&) {
        end("a sync failed; the last commit may be there or not");
        throw;
    }
}

NDKEEP_INLINE void database_session::write(pending& next) {
    const bool durable = options_.durability != database_durability::none;
    bool has_new_files = false;
    for (std::size_t i = 0; i < next.arrays.size(); ++i) {
        auto& [array, changed] = next.arrays[i];
        if (array == nullptr)
            continue;
        array->settle_tail(changed);
        next.record.arrays[i].tail_sum = changed.tail_sum;
        array->reserve_holes(changed);
        if (durable && array->is_new)
            synced([&of = *array] { of.source().sync(); });
        else if (durable && changed.tail.first != changed.tail.last)
            synced([&of = *array] { of.source().sync_data(); });
        has_new_files = has_new_files || array->is_new;
        array->add_images(changed, next.images);
    }
    if (has_new_files && durable)
        synced([&] { hidden_.sync(); });
    if (segment_ == nullptr) {
        segment_ =
            create_segment(hidden_, next.record.number, durable ? durability::on_disk : durability::when_convenient);
        log_end_ = log_sector;
    }
    next.log.emplace(*segment_, log_end_, next.record);
    {
        const control_file::locked alone(*control_);
        auto words = control_->read();
        words.committing = next.record.number;
        control_->write(words);
    }
    try {
        next.log->write(next.images);
        next.payload = next.log->payload();
    } catch (...) {
        try {
            next.log->withdraw();
        } catch (const io_error&) {
            end("the log cannot be written; the last commit may be there or not");
        }
        throw;
    }
    if (durable)
        synced([&] { segment_->source.sync_data(); });
}

NDKEEP_INLINE void database_session::end(std::string why) noexcept {
    is_closed_ = true;
    why_closed_ = std::move(why);
    control_->release_lease();
    has_lease_ = false;
}

NDKEEP_INLINE std::uint64_t database_session::commit() {
    check();
    if (options_.optimistic)
        catch_up();
    struct released {
        ~released() {
            if (session.options_.optimistic && session.has_lease_) {
                session.control_->release_lease();
                session.has_lease_ = false;
            }
        }
        database_session& session;
    };
    const released at_the_end{*this};
    pending next;
    prepare(next);
    if (next.record.arrays.empty() && next.record.documents.empty()) {
        apply_what_may_be();
        if (options_.optimistic)
            advance();
        return committed_;
    }
    try {
        write(next);
    } catch (...) {
        // What was written stands behind the data, and is not the change of another program.
        for (const auto& each : next.arrays)
            if (each.first != nullptr)
                each.first->stamp();
        throw;
    }
    try {
        publish(next);
    } catch (...) {
        end("commit " + std::to_string(committed_) + " is made, but this process could not take note of it");
        throw;
    }
    return committed_;
}

NDKEEP_INLINE void database_session::publish(pending& next) {
    committed_ = next.record.number;
    log_end_ = next.log->end();
    logged_commit made{std::move(next.record), std::move(next.payload), log_end_};
    for (std::size_t i = 0; i < next.arrays.size(); ++i) {
        auto& [array, changed] = next.arrays[i];
        unsynced_.insert(made.record.arrays[i].name);
        if (array == nullptr)
            continue;
        array->committed(changed, made, made.images_of(i));
        if (made.record.arrays[i].sidecar)
            array->sidecar = made.record.arrays[i].sidecar;
    }
    unapplied_.push_back(std::move(made));
    dropped_.clear();
    removed_.clear();
    documents_.clear();
    savepoints_.clear();
    std::uint64_t limit = committed_;
    {
        const control_file::locked alone(*control_);
        auto words = control_->read();
        words.committed = committed_;
        words.committing = 0;
        limit = std::min(committed_, control_->oldest_held(base_.get()).value_or(committed_));
        words.applying = std::max(words.applying, limit);
        control_->write(words);
    }
    apply_up_to(limit);
    if (options_.optimistic) {
        // The arrays show this commit now. The former hold is given up outside the lock, which that needs.
        std::shared_ptr<reader_hold> later;
        {
            const control_file::locked alone(*control_);
            later = control_->hold(committed_);
        }
        base_ = std::move(later);
    }
    if (unapplied_.empty() && log_end_ > long_log)
        retire();
}

NDKEEP_INLINE void database_session::apply_what_may_be() {
    if (unapplied_.empty())
        return;
    std::uint64_t limit = committed_;
    {
        const control_file::locked alone(*control_);
        auto words = control_->read();
        limit = std::min(committed_, control_->oldest_held(base_.get()).value_or(committed_));
        words.applying = std::max(words.applying, limit);
        control_->write(words);
    }
    apply_up_to(limit);
}

NDKEEP_INLINE void database_session::apply_up_to(std::uint64_t limit) {
    const auto end = std::find_if(unapplied_.begin(), unapplied_.end(),
                                  [&](const logged_commit& each) { return each.record.number > limit; });
    if (end == unapplied_.begin())
        return;
    try {
        applier().apply({unapplied_.begin(), end});
    } catch (const io_error&) {
        // The commit is durable in the log, and memory shows it. The next commit or opening tries again.
        for (const auto& [name, array] : arrays_)
            array->stamp();
        return;
    }
    for (auto each = unapplied_.begin(); each != end; ++each)
        for (const auto& change : each->record.arrays)
            if (!change.made_as.empty())
                if (const auto found = arrays_.find(change.name);
                    found != arrays_.end() && found->second->made_as == change.made_as)
                    found->second->made_as.clear();
    for (const auto& [name, array] : arrays_)
        array->applied(limit);
    unapplied_.erase(unapplied_.begin(), end);
    if (unapplied_.empty())
        for (const auto& [name, array] : arrays_)
            array->sidecar.reset();
    const control_file::locked alone(*control_);
    auto words = control_->read();
    words.applied = std::max(words.applied, limit);
    control_->write(words);
}

NDKEEP_INLINE void database_session::sync_files() {
    for (const auto& name : unsynced_) {
        const std::string file_name = file_name_of(name), sidecar = sidecar_path(file_name).string();
        if (const auto source = root_.open_file(file_name, file::access::read_write))
            source->sync();
        if (begins_sidecar(text_in(root_, sidecar).value_or("")))
            if (const auto source = root_.open_file(sidecar))
                source->sync();
    }
    for (const auto& name : hidden_.names())
        if (name.ends_with(document_ending))
            if (const auto source = hidden_.open_file(name))
                source->sync();
    root_.sync();
    hidden_.sync();
    control_->sync();
}

NDKEEP_INLINE void database_session::retire() {
    const auto segments = segments_in(hidden_);
    // New files that no commit names were left by killed writers. Optimistic writers, which may be making some, are
    // registered as readers.
    const bool is_alone = [&] {
        const control_file::locked alone(*control_);
        return !control_->oldest_held(base_.get());
    }();
    if (is_alone)
        for (const auto& name : hidden_.names())
            if (name.starts_with(created_prefix) && std::none_of(arrays_.begin(), arrays_.end(), [&](const auto& each) {
                    return each.second->made_as == name;
                }))
                hidden_.remove(name);
    if (segments.empty())
        return;
    if (options_.durability != database_durability::none)
        try {
            sync_files();
        } catch (const io_error&) {
            // The system may have dropped what it could not write, so the next one who opens the database applies all
            // of the log again.
            const control_file::locked alone(*control_);
            auto words = control_->read();
            words.applied = first_commit_of(segments.front()) - 1;
            control_->write(words);
            throw;
        }
    unsynced_.clear();
    segment_.reset();
    for (const auto& name : segments)
        hidden_.remove(name);
    if (options_.durability != database_durability::none)
        hidden_.sync();
}

NDKEEP_INLINE void database_session::abort() {
    check();
    for (auto each = arrays_.begin(); each != arrays_.end();) {
        auto& array = *each->second;
        if (array.is_new) {
            drop_new_file(array);
            each = arrays_.erase(each);
            continue;
        }
        array.abort();
        ++each;
    }
    for (const auto& array : dropped_) {
        array->abort();
        arrays_[array->name()] = array;
    }
    dropped_.clear();
    removed_.clear();
    documents_.clear();
    savepoints_.clear();
    if (options_.optimistic)
        advance();
    else
        apply_what_may_be();
}

NDKEEP_INLINE std::shared_ptr<const saved_transaction> database_session::save() {
    spill();
    auto state = std::make_shared<saved_transaction>();
    static std::atomic<std::uint64_t> made{0};
    state->number = ++made;
    state->arrays = arrays_;
    state->dropped = dropped_;
    state->removed = removed_;
    state->documents = documents_;
    for (const auto& [name, array] : arrays_)
        state->states.emplace(name, array->save());
    savepoints_.push_back(state->number);
    return state;
}

NDKEEP_INLINE void database_session::abort(const saved_transaction& state) {
    check();
    const auto found = std::find(savepoints_.begin(), savepoints_.end(), state.number);
    if (found == savepoints_.end())
        throw conflict_error({.file = path(),
                              .field = "savepoint",
                              .expected = "of the present transaction",
                              .found = "one that a commit or an abort has ended, or of another database"});
    for (const auto& [name, array] : arrays_)
        if (!state.arrays.contains(name) || state.arrays.find(name)->second != array) {
            if (array->is_new)
                drop_new_file(*array);
            else
                array->abort();
        }
    // Arrays opened since stay open.
    auto arrays = state.arrays;
    for (const auto& array : dropped_)
        if (!std::count(state.dropped.begin(), state.dropped.end(), array) && !arrays.contains(array->name())) {
            array->abort();
            arrays.emplace(array->name(), array);
        }
    for (const auto& [name, array] : arrays_)
        if (!array->is_new && !array->is_removed && !state.removed.contains(name))
            arrays.emplace(name, array);
    for (const auto& [name, array] : state.arrays)
        array->restore(state.states.find(name)->second);
    arrays_ = std::move(arrays);
    dropped_ = state.dropped;
    removed_ = state.removed;
    documents_ = state.documents;
    savepoints_.erase(found + 1, savepoints_.end());
}

NDKEEP_INLINE void database_session::close() {
    if (is_closed_)
        return;
    check();
    is_closed_ = true;
    for (const auto& [name, array] : arrays_)
        if (array->is_new)
            drop_new_file(*array);
        else
            array->abort();
    base_.reset();
    if (options_.optimistic && !control_->take_lease(std::chrono::milliseconds(0)))
        return;  // another writer is at work, and applies what is left
    try {
        apply_what_may_be();
        if (unapplied_.empty() && !options_.optimistic)
            retire();
    } catch (...) {
        end({});
        throw;
    }
    control_->release_lease();
    has_lease_ = false;
}

NDKEEP_INLINE std::vector<other_change> database_session::changes_of(const std::vector<logged_commit>& commits,
                                                                     std::string_view name) {
    std::vector<other_change> changes;
    for (const auto& commit : commits)
        for (std::size_t i = 0; i < commit.record.arrays.size(); ++i)
            if (commit.record.arrays[i].name == name)
                changes.push_back({&commit, &commit.record.arrays[i], commit.images_of(i)});
    return changes;
}

NDKEEP_INLINE void database_session::check_collisions(const std::vector<logged_commit>& others) {
    const auto collide = [&](const std::filesystem::path& file, const std::string& what, std::uint64_t commit) {
        throw conflict_error({.file = file,
                              .found = "another writer changed " + what + " in commit " + std::to_string(commit),
                              .hint = "abort this transaction and try again"});
    };
    for (const auto& commit : others) {
        for (const auto& change : commit.record.arrays) {
            const auto file = path() / file_name_of(change.name);
            const auto number = commit.record.number;
            if (removed_.contains(change.name))
                collide(file, "the removed array", number);
            const auto found = arrays_.find(change.name);
            if (found == arrays_.end())
                continue;
            auto& array = *found->second;
            const bool replaces = change.removed || !change.made_as.empty();
            const bool has_metadata = array.metadata && *array.metadata != array.committed_metadata;
            if (replaces && (array.is_new || array.changes().any() || has_metadata))
                collide(file, "the array itself", number);
            if (has_metadata && change.sidecar &&
                (change.sidecar->empty()
                     ? json(json::value_t::object)
                     : parse_sidecar(*change.sidecar, file).current.metadata) != array.committed_metadata)
                collide(file, "the metadata", number);
        }
        for (const auto& document : commit.record.documents)
            if (documents_.contains(document.name))
                collide(hidden_.path() / document.name, "the document", commit.record.number);
    }
    for (const auto& [name, array] : arrays_) {
        const auto changes = changes_of(others, name);
        if (changes.empty() || changes.back().change->removed || !changes.back().change->made_as.empty())
            continue;
        if (const auto what = array->collision(changes); !what.empty())
            collide(array->path(), what == "the shape" ? what : "the same " + what,
                    changes.back().commit->record.number);
    }
}

NDKEEP_INLINE void database_session::rebase(std::vector<logged_commit> others) {
    for (auto each = arrays_.begin(); each != arrays_.end();) {
        auto& [name, array] = *each;
        const auto changes = changes_of(others, name);
        if (std::any_of(changes.begin(), changes.end(), [](const other_change& other) {
                return other.change->removed || !other.change->made_as.empty();
            })) {
            // Its containers keep the elements of the array that was. A new one is opened by its name.
            array->is_removed = true;
            each = arrays_.erase(each);
            continue;
        }
        array->rebase(changes);
        if (!changes.empty() && array->metadata && *array->metadata == array->committed_metadata)
            array->metadata.reset();
        ++each;
    }
    for (auto& commit : others) {
        committed_ = commit.record.number;
        unapplied_.push_back(std::move(commit));
    }
}

NDKEEP_INLINE void database_session::catch_up() {
    take_lease();
    try {
        const auto words = control_->read();
        std::erase_if(unapplied_, [&](const logged_commit& each) { return each.record.number <= words.applied; });
        for (const auto& [name, array] : arrays_)
            array->applied(words.applied);
        auto chain = read_log(hidden_, committed_, file::access::read_write);
        segment_ = std::move(chain.last);
        log_end_ = chain.end;
        const std::uint64_t last = chain.commits.empty() ? committed_ : chain.commits.back().record.number;
        if (words.committed > last)
            throw format_error({.file = hidden_.path(),
                                .field = "log",
                                .expected = "commits up to " + std::to_string(words.committed),
                                .found = "commit " + std::to_string(last + 1) + " damaged",
                                .hint = "recover_database"});
        if (chain.commits.empty())
            return;
        // The last one may be of a writer that was killed before its sync.
        if (options_.durability != database_durability::none) {
            if (words.committing != 0)
                write_again(*segment_, log_sector, log_end_);
            synced([&] { segment_->source.sync_data(); });
        }
        check_collisions(chain.commits);
        rebase(std::move(chain.commits));
    } catch (...) {
        control_->release_lease();
        has_lease_ = false;
        throw;
    }
}

NDKEEP_INLINE void database_session::advance() {
    std::shared_ptr<reader_hold> next;
    std::uint64_t applied = 0;
    {
        const control_file::locked alone(*control_);
        const auto words = control_->read();
        next = control_->hold(words.committed);
        applied = words.applied;
    }
    if (next->commit() > committed_) {
        auto chain = read_log(hidden_, committed_, file::access::read);
        std::erase_if(chain.commits, [&](const auto& each) { return each.record.number > next->commit(); });
        if (chain.commits.empty() || chain.commits.back().record.number != next->commit())
            throw format_error({.file = hidden_.path(),
                                .field = "log",
                                .expected = "commits up to " + std::to_string(next->commit()),
                                .found = "a damaged commit",
                                .hint = "recover_database"});
        rebase(std::move(chain.commits));
    }
    base_ = std::move(next);
    std::erase_if(unapplied_, [&](const logged_commit& each) { return each.record.number <= applied; });
    for (const auto& [name, array] : arrays_)
        array->applied(applied);
}

}  // namespace ndkeep::detail
