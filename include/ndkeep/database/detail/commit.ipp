// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/session.hpp>: the steps of a commit.
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
//  8. Apply commits to the files, as far as no living reader holds an older one. The files are written before the
//     private pages are dropped, so that memory never shows an older value in between.
//  9. If the log is long and everything is applied: sync the files, then remove the log.
//
// Recovery repeats steps 8 and 9 for the records in the log.
#pragma once

#include <ndkeep/database/detail/session.hpp>

#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/inspect.hpp>

#include <algorithm>
#include <iterator>
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
    if (is_present && !array.is_new)
        former = description_in(*text, array.committed_info(), sidecar_file);
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
    if (options_.adopt && is_same && array.source().size() >= data_end(array.committed_info()) &&
        array.has_committed_header()) {
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

NDKEEP_INLINE void database_session::write(pending& next) {
    const bool durable = is_durable();
    bool has_new_files = false;
    for (std::size_t i = 0; i < next.arrays.size(); ++i) {
        auto& [array, changed] = next.arrays[i];
        if (array == nullptr)
            continue;
        array->settle_tail(changed, !savepoints_.empty());
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
    release_lease();
}

NDKEEP_INLINE std::uint64_t database_session::commit() {
    check();
    if (options_.optimistic)
        catch_up();
    struct released {
        ~released() {
            if (session.options_.optimistic)
                session.release_lease();
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
            if (each.first != nullptr) {
                each.first->unsettle_tail(each.second);
                each.first->stamp();
            }
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
    {
        const control_file::locked alone(*control_);
        auto words = control_->read();
        words.committed = committed_;
        words.committing = 0;
        control_->write(words);
    }
    apply_what_may_be();
    if (options_.optimistic)
        hold_base();
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
    const std::uint64_t unapplied_at = std::prev(end)->end;
    unapplied_.erase(unapplied_.begin(), end);
    if (unapplied_.empty())
        for (const auto& [name, array] : arrays_)
            array->sidecar.reset();
    const control_file::locked alone(*control_);
    auto words = control_->read();
    words.applied = std::max(words.applied, limit);
    words.unapplied_at = unapplied_at;
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
    // Other writers may have made, or applied, some of the commits in the log.
    if (options_.optimistic)
        unsynced_ = names_after(root_, {});
    if (is_durable())
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
    if (is_durable())
        hidden_.sync();
}

}  // namespace ndkeep::detail
