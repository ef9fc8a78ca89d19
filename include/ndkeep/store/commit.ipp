// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/commit.hpp>.
#pragma once

#include <ndkeep/store/commit.hpp>

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/record/record.hpp>
#include <ndkeep/store/record/table.hpp>
#include <ndkeep/store/upkeep.hpp>

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE transaction::transaction(place& where, const commit_options& options) : log_(where), options_(options) {
    const bool is_new = !log_.newest_number();
    if (is_new)
        log_.check_unused();  // before the lock file is created: a place that is refused stays as it was
    locks_ = where.locks();
    // A sweeping writer holds this lock exclusively for a moment, so wait for it. A writer that went on without the
    // lock would be overlooked by the next sweep, and its staged files would be removed.
    if (!locks_.lock_shared_within(lock_writing, options_.patience))
        locks_ = {};
    // The id must be stored before the first file is staged. Otherwise the files of a writer killed before its first
    // commit could not be told from files that belong to somebody else.
    if (is_new && !log_.newest_number())
        dataset_ = log_.future_dataset(durability_of(options_.sync));
    // The epoch is noted before the first file is staged, so step 3 notices a sweep that may have removed the file.
    // The log is asked again, because another writer may have made the first commit since.
    if (!is_new || log_.newest_number()) {
        open_newest();
        dataset_ = base_.dataset;
    }
    work_ = base_;
    files_.emplace(where, dataset_);
}

NDKEEP_INLINE transaction::~transaction() {
    forget_files();
    // A child forked since shares the locks. It would keep others from sweeping and pruning until it ends.
    locks_.unlock_all();
    lease_.unlock_all();
}

NDKEEP_INLINE bool transaction::has_edits() const noexcept {
    // A new dataset is committed even without rows, so that readers find its dtype and row shape.
    return !edits_.empty() || metadata_ || (base_.is_absent() && !work_.is_absent());
}

NDKEEP_INLINE void transaction::check_usable() const {
    check_may_commit();
    // The record of the failed commit may exist. A new edit would change what its next try has to find again.
    if (phase_ == phase::uncertain)
        throw conflict_error(
            {.file = where().path(), .found = "the last commit of this writer has failed; commit again, or discard"});
}

NDKEEP_INLINE void transaction::check_may_commit() const {
    owner_.check(where().path());
    if (phase_ == phase::failed)
        throw conflict_error(
            {.file = where().path(),
             .found = "this writer is closed, because its files could not be synced; write the rows again"});
    if (phase_ == phase::closed)
        throw conflict_error({.file = where().path(),
                              .found = "this writer is closed, because the outcome of its last commit is not known; "
                                       "open the dataset again to see whether it has the rows"});
}

NDKEEP_INLINE void transaction::go_back(mark&& to) noexcept {
    // The files staged since the mark stay in `files_`. The commit removes them, because it does not name them.
    edits_.erase(edits_.begin() + static_cast<std::ptrdiff_t>(to.edits), edits_.end());
    work_ = std::move(to.work);
}

NDKEEP_INLINE std::string transaction::stage(place::parts bytes, std::uint64_t row, std::string_view ending) {
    check_usable();
    return files_->put(bytes, row, ending);
}

NDKEEP_INLINE void transaction::begin(const chunk_state& wanted) {
    work_.type = wanted.type;
    work_.row_shape = wanted.row_shape;
    work_.order_by = wanted.order_by;
    work_.then_by = wanted.then_by;
    work_.sum = wanted.sum;
}

NDKEEP_INLINE void transaction::edit(chunk_edit made) {
    check_usable();
    if (const auto* const last = work_.last_entry(); last != nullptr && made.what == chunk_edit::kind::append)
        made.before = last->file;
    std::string why;
    if (!edit_maker(work_, base_.number + 1).make(made, why))
        throw conflict(why, base_.number);
    // Noted only after it was applied, so a rejected edit is not part of the commit.
    const std::uint64_t row = made.first_row;
    edits_.push_back({std::move(made), row});
}

NDKEEP_INLINE void transaction::set_metadata(const json& meta) {
    check_usable();
    metadata_ = meta;
    work_.metadata = meta;
}

NDKEEP_INLINE void transaction::discard() noexcept {
    // First the files: whether they may be removed depends on the phase, which may change below.
    forget_files();
    edits_.clear();
    metadata_.reset();
    if (phase_ == phase::uncertain)
        phase_ = phase::open;
    id_.clear();
    try {
        if (log_.newest_number())
            open_newest();
    } catch (...) {
        // The next commit reads the newest state again, and reports the error.
    }
    work_ = base_;
}

NDKEEP_INLINE commit_result transaction::commit() {
    check_may_commit();
    if (!has_edits())
        return {.number = base_.number};
    return guarded([&] {
        sync_added_files();  // before the turn: others need not wait for this disk
        // Step 2. Only the first commit of a writer sweeps.
        auto attempt = std::make_unique<commit_attempt>(where(), locks_, options_.patience, phase_ == phase::fresh);
        attempt->raises_epoch = !attempt->listed().empty() && may_have_orphans(attempt->listed());
        attempt->is_first_record = base_.number == 0;
        return put_on_top(std::move(attempt), false);
    });
}

NDKEEP_INLINE commit_result transaction::resume(commit_result&& rebased, const std::vector<chunk_entry>& staged) {
    check_usable();
    return guarded([&] {
        use_instead(staged);
        sync_added_files();
        return put_on_top(std::move(rebased.attempt), true);
    });
}

NDKEEP_INLINE void transaction::sweep(std::vector<std::string> orphans) {
    check_may_commit();
    (void)guarded([&] {
        auto attempt = std::make_unique<commit_attempt>(where(), locks_, options_.patience, std::move(orphans));
        attempt->raises_epoch = true;
        return put_on_top(std::move(attempt), false);
    });
}

NDKEEP_INLINE void sweep_abandoned(place& where) {
    auto abandoned = where.abandoned();
    if (abandoned.empty())
        return;
    try {
        // The commit makes all open writers fail, so that it must not be made in vain: files that only older records
        // name are no orphans.
        commit_log log(where);
        auto orphans = orphans_among(log, abandoned);
        // Pruning is the caller's business.
        if (!orphans.empty())
            transaction(where, {.keep = 0}).sweep(std::move(orphans));
    } catch (const conflict_error&) {
    } catch (const checksum_error&) {
    } catch (const format_error&) {
    }
}

NDKEEP_INLINE void transaction::sync_added_files() {
    // Over a network, a sync costs nothing for what this writer has put, and a check costs a question for each file.
    if (options_.sync || where().is_distant())
        files_->sync(added_files());
    else
        files_->check(added_files());
}

NDKEEP_INLINE void transaction::open_newest() {
    auto opened = open_state(log_);
    // The old lease is released only now, so the base was never without one.
    base_ = std::move(opened.state);
    lease_ = std::move(opened.lease);
}

NDKEEP_INLINE void transaction::forget_files() noexcept {
    if (!files_)
        return;
    // A record that names them may exist, and a record without its files is damage. Orphans only cost space until a
    // sweep removes them.
    if (may_be_named() || !owner_.is_this())
        (void)files_->release();
    else
        files_->remove();
}

NDKEEP_INLINE conflict_error transaction::conflict(const std::string& what, std::uint64_t newest) const {
    // Any commit since `base_` may be the one that has done it.
    std::string commits;
    if (newest == base_.number + 1)
        commits = " in commit " + std::to_string(newest);
    else if (newest > base_.number)
        commits = " in one of the commits " + std::to_string(base_.number + 1) + " to " + std::to_string(newest);
    return conflict_error({.file = where().path(),
                           .found = "another writer " + what + commits + "; discard this transaction and try again"});
}

NDKEEP_INLINE std::set<std::string> transaction::named_entries() const {
    std::set<std::string> named;
    for (const auto& item : work_.items)
        if (item.table == nullptr)
            named.insert(item.entry.file);
    return named;
}

NDKEEP_INLINE std::set<std::string> transaction::added_files() const {
    std::set<std::string> files;
    const auto named = named_entries();
    for (const auto& each : edits_)
        for (const auto& entry : each.edit.added)
            if (named.count(entry.file) != 0)
                files.insert(entry.file);
    // Files of other writers' notes are among them. That does no harm, as only the files staged here are synced.
    add_note_files(work_, files);
    return files;
}

NDKEEP_INLINE void transaction::remove_unnamed(const std::vector<std::string>& own) {
    const std::set<std::string> staged(own.begin(), own.end());
    std::set<std::string> named;
    add_note_files(base_, named);
    for (const auto& item : base_.items) {
        if (item.table != nullptr)
            named.insert(item.table->file);
        // An older table cannot name a file of this commit, so its entries, which may be many, need not be read.
        if (item.table == nullptr || staged.count(item.table->file) != 0)
            for (std::size_t i = 0; i < item.count(); ++i)
                named.insert(item.at(i).file);
    }
    for (const auto& name : own)
        if (named.count(name) == 0)
            where().remove(chunk_path(name));
}

NDKEEP_INLINE bool transaction::may_have_orphans(const std::vector<std::string>& files) const {
    std::set<std::string> named(files_->names().begin(), files_->names().end());
    // Only the newest state is asked: reading all records costs time, and the sweep does it before it removes anything.
    add_names(base_, named);
    return std::any_of(files.begin(), files.end(), [&](const std::string& name) {
        return is_staged_name(name, dataset_) && named.count(name) == 0;
    });
}

NDKEEP_INLINE std::optional<chunk_state> transaction::newest(bool& pruned) {
    pruned = false;
    // Asking for the record after the known one costs two look-ups, a listing one entry for each record.
    const auto number = base_.number == 0 ? log_.newest_number() : log_.newest_number(base_.number);
    if (!number)
        return std::nullopt;
    // Records never change, so the known state need not be read again.
    if (*number == base_.number)
        return base_;
    auto state = log_.read(*number);
    // The record was present a moment ago, so others have committed and pruned since.
    pruned = !state;
    return state;
}

NDKEEP_INLINE void transaction::outcome_unknown(std::uint64_t number, const std::error_code& why) {
    // Closed, because neither answer is safe: taking it for failed writes the rows twice, taking it for committed may
    // lose them.
    phase_ = phase::closed;
    throw io_error(where().called(record_path(number)), "outcome unknown", why,
                   "open the dataset again to see whether it has this commit");
}

NDKEEP_INLINE commit_result transaction::put_on_top(std::unique_ptr<commit_attempt> attempt, bool is_resumed) {
    const auto finished = [&](committed made) {
        const bool sweeps = made.sweeps;
        // Released at once: the record names them, so neither an error in step 8 nor the destructor may remove them.
        const auto own = files_->release();
        finish(std::move(made));
        clean_up(*attempt, sweeps, own);
        return commit_result{.number = base_.number};
    };
    // One id for all tries, also in later calls of `commit`. Step 6 needs it to recognise our record after a put that
    // was reported as failed.
    if (id_.empty())
        id_ = random_identity();
    for (;; is_resumed = false) {
        // A resumed commit is still in the try that was rebased.
        if (!is_resumed)
            attempt->begin_try();
        // Before anything else: if the former put has succeeded, these edits are committed already. No sweep follows.
        // The list of this call was made after the new epoch became visible, so it may hold files of writers that have
        // noted the new epoch and would not notice the sweep.
        if (auto former = outcome_of_former_put())
            return finished({*former, *former});
        // Steps 3 and 4.
        if (!is_resumed) {
            const auto result = rebase();
            if (result == rebase_result::pruned)
                continue;
            if (result == rebase_result::outdated)
                return {.is_outdated = true, .attempt = std::move(attempt)};
            if (auto moved = moved_files(); !moved.empty())
                return {.moved = std::move(moved), .attempt = std::move(attempt)};
        }
        chunk_state next = work_;
        next.number = base_.number + 1;
        next.id = id_;
        // Lets readers and `prune` tell records that count from displaced ones.
        next.parent = base_.id;
        if (next.dataset.empty())
            next.dataset = dataset_;
        // The new epoch becomes visible before anything is swept: writers that staged earlier notice it in step 3.
        next.epoch += attempt->raises_epoch ? 1 : 0;
        next.created = now_text();
        // Step 5.
        fold(next);
        committed made{next, next, attempt->raises_epoch};
        const auto text = checked_record_text(next);
        if (options_.sync)
            files_->sync_names();  // before the record: it may become durable at any time after its put
        // Steps 6 and 7.
        const phase before = phase_;
        const auto result = put(next, text);
        if (result == put_result::stands ||
            (result == put_result::put && or_unknown(next.number, [&] { return stands(next); })))
            return finished(std::move(made));
        // Nothing of ours is left to look for.
        phase_ = before;
    }
}

NDKEEP_INLINE std::optional<chunk_state> transaction::outcome_of_former_put() {
    if (phase_ != phase::uncertain)
        return std::nullopt;
    const std::uint64_t number = put_number_;
    return or_unknown(number, [&]() -> std::optional<chunk_state> {
        auto present = log_.read(number);
        const auto newest_present = log_.newest_number().value_or(0);
        const auto child = log_.identity_of(number + 1);
        const bool stands = present && (newest_present == number || (child && child->parent == present->id));
        const bool own = present && present->id == id_;
        // The number is free or has a displaced record, and the log has grown past it. Ours may have been committed and
        // pruned since, and nothing tells whether it was.
        if (!own && !stands && newest_present >= number)
            outcome_unknown(number, std::make_error_code(std::errc::io_error));
        if (own && stands) {
            phase_ = phase::open;
            return present;
        }
        // Our record is displaced: newer records are present, and none of them was made on top of it.
        if (own)
            where().remove(record_path(number));
        phase_ = phase::open;
        return std::nullopt;
    });
}

}  // namespace ndkeep::detail
