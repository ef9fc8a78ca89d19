// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/commit.hpp>.
#pragma once

#include <ndkeep/store/commit.hpp>

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/store/record.hpp>
#include <ndkeep/store/table.hpp>
#include <ndkeep/store/upkeep.hpp>

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE staging::staging(place& where, const commit_options& options) : log_(where), options_(options) {
    const bool is_new = !log_.newest_number();
    if (is_new)
        log_.check_unused();  // before the lock file is created: a place that is refused stays as it was
    locks_ = where.locks();
    // A sweeping writer holds this lock exclusively for a moment, so wait for it. A writer that went on without the
    // lock would be overlooked by the next sweep, and its staged files would be removed.
    shares_writing_ = locks_.is_open() && locks_.lock_shared_within(lock_writing, options_.patience);
    // The id must be stored before the first file is staged. Otherwise the files of a writer killed before its first
    // commit could not be told from files that belong to somebody else.
    if (is_new && !log_.newest_number())
        dataset_ = log_.future_dataset(options_.sync);
    // The epoch is noted before the first file is staged, so step 3 notices a sweep that may have removed the file.
    // The log is asked again, because another writer may have made the first commit since.
    if (!is_new || log_.newest_number()) {
        open_newest();
        dataset_ = base_.dataset;
    }
    work_ = base_;
    files_.emplace(where, dataset_);
}

NDKEEP_INLINE staging::~staging() {
    forget_files();
    // A child forked since shares the locks. It would keep others from sweeping and pruning until it ends.
    locks_.unlock_all();
    lease_.unlock_all();
}

NDKEEP_INLINE bool staging::has_edits() const noexcept {
    // A new dataset is committed even without rows, so that readers find its dtype and row shape.
    return !edits_.empty() || metadata_ || (base_.number == 0 && work_.type.size() != 0);
}

NDKEEP_INLINE void staging::check_usable() const {
    owner_.check(where().path());
    // The record of the failed commit may exist. A new edit would change what its next try has to find again.
    if (uncertain_ && !committing_)
        throw conflict_error({.file = where().called("commits"),
                              .field = "writer",
                              .expected = "one whose commit has succeeded",
                              .found = "one whose commit has failed",
                              .hint = "commit again, or discard"});
    if (closed_ || files_->has_failed())
        throw conflict_error({.file = where().called("commits"),
                              .field = "writer",
                              .expected = "one whose last commit is known to have succeeded",
                              .found = "closed",
                              .hint = "open it again to see what is there"});
}

NDKEEP_INLINE void staging::go_back(mark&& to) noexcept {
    // The files staged since the mark stay in `files_`. The commit removes them, because it does not name them.
    edits_.erase(edits_.begin() + static_cast<std::ptrdiff_t>(to.edits), edits_.end());
    work_ = std::move(to.work);
}

NDKEEP_INLINE std::string staging::stage(place::parts bytes, std::uint64_t row, std::string_view ending) {
    check_usable();
    return files_->put(bytes, row, ending);
}

NDKEEP_INLINE void staging::sync_late(const std::string& name) {
    // Step 1 is over by now, so this file would otherwise be named without being on the disk.
    if (options_.sync)
        files_->sync(name);
}

NDKEEP_INLINE void staging::begin(const chunk_state& wanted) {
    work_.type = wanted.type;
    work_.row_shape = wanted.row_shape;
    work_.order_by = wanted.order_by;
    work_.sum = wanted.sum;
}

NDKEEP_INLINE void staging::edit(chunk_edit made) {
    check_usable();
    std::string why;
    // No mover: a file was staged for the row at which it stands in `work_`.
    if (!edit_maker(work_, base_.number + 1, {}).make(made, why))
        throw conflict(why);
    // Noted only after it was applied, so a rejected edit is not part of the commit.
    edits_.push_back(std::move(made));
}

NDKEEP_INLINE void staging::set_metadata(const json& meta) {
    check_usable();
    metadata_ = meta;
    work_.metadata = meta;
}

NDKEEP_INLINE void staging::discard() noexcept {
    // First the files: whether they may be removed depends on `uncertain_`, which is reset below.
    forget_files();
    edits_.clear();
    metadata_.reset();
    uncertain_.reset();
    id_.clear();
    try {
        if (log_.newest_number())
            open_newest();
    } catch (...) {
        // The next commit reads the newest state again, and reports the error.
    }
    work_ = base_;
}

NDKEEP_INLINE std::uint64_t staging::commit(const chunk_mover& move) {
    // A commit after an uncertain one is what resolves it, so `check_usable` must let it pass, also in `stage` below.
    committing_ = true;
    struct no_longer {
        ~no_longer() { committing = false; }
        bool& committing;
    };
    const no_longer at_the_end{committing_};
    check_usable();
    if (!has_edits())
        return base_.number;
    if (options_.sync)
        files_->sync(added_files());  // step 1, and before the turn: others need not wait for this disk
    else
        files_->check(added_files());
    // The first commit of a writer that is alone also sweeps. The lock decides only whether to try: a sweep is safe
    // with other writers too, but would make their commits fail. If the upgrade is refused, the shared lock stays.
    const bool alone = first_ && shares_writing_ && locks_.lock(lock_writing);
    struct shared_again {
        // Shared again, or all other writers would wait until this one is closed.
        ~shared_again() {
            if (alone)
                (void)locks.lock_shared(lock_writing);
        }
        byte_locks& locks;
        bool alone;
    };
    const shared_again afterwards{locks_, alone};
    // Listed before step 3. A file staged later is not in the list. A file staged earlier is named by a record when the
    // sweep reads them, or its writer has noted an older epoch, and step 3 of that writer's commit fails.
    const auto before = alone ? where().list("chunks") : std::vector<std::string>();
    const commit_turn turn(where(), options_.patience);  // step 2

    committed made = put_on_top(move, alone && may_have_orphans(before));
    // Released at once: the record names them, so neither an error in step 8 nor the destructor may remove them.
    const auto own = files_->release();
    finish(std::move(made));
    clean_up(before, own);
    return base_.number;
}

NDKEEP_INLINE void staging::open_newest() {
    auto opened = open_state(log_);
    // The old lease is released only now, so the base was never without one.
    base_ = std::move(opened.state);
    lease_ = std::move(opened.lease);
}

NDKEEP_INLINE void staging::forget_files() noexcept {
    if (!files_)
        return;
    // A record that names them may exist, and a record without its files is damage. Orphans only cost space until a
    // sweep removes them.
    if (uncertain_ || closed_ || !owner_.is_this())
        (void)files_->release();
    else
        files_->remove();
}

NDKEEP_INLINE conflict_error staging::conflict(const std::string& why) const {
    return conflict_error(
        {.file = where().called("commits"), .field = "commit on top of " + std::to_string(base_.number), .found = why});
}

NDKEEP_INLINE std::set<std::string> staging::added_files() const {
    std::set<std::string> files;
    for (const auto& each : edits_)
        for (const auto& entry : each.added)
            files.insert(entry.file);
    // Files of other writers' notes are among them. That does no harm, as only the files staged here are synced.
    add_note_files(work_, files);
    return files;
}

NDKEEP_INLINE void staging::remove_unnamed(const std::vector<std::string>& own) {
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
            where().remove("chunks/" + name);
}

NDKEEP_INLINE bool staging::may_have_orphans(const std::vector<std::string>& files) const {
    std::set<std::string> named(files_->names().begin(), files_->names().end());
    // Only the newest state is asked: reading all records costs time, and the sweep does it before it removes anything.
    add_names(base_, named);
    return std::any_of(files.begin(), files.end(), [&](const std::string& name) {
        return is_staged_name(name, dataset_) && named.count(name) == 0;
    });
}

NDKEEP_INLINE std::optional<chunk_state> staging::newest(bool& pruned) {
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

NDKEEP_INLINE void staging::outcome_unknown(std::uint64_t number, const std::error_code& why) {
    // Closed, because neither answer is safe: taking it for failed writes the rows twice, taking it for committed may
    // lose them.
    closed_ = true;
    throw io_error(where().called("commits/" + record_name(number)), "outcome unknown", why,
                   "open the dataset again to see whether it has this commit");
}

NDKEEP_INLINE staging::committed staging::put_on_top(const chunk_mover& move, bool new_epoch) {
    constexpr int most_tries = 16;
    // One id for all tries, also in later calls of `commit`. Step 6 needs it to recognise our record after a put that
    // was reported as failed.
    if (id_.empty())
        id_ = random_identity();
    for (int tries = 0; tries < most_tries; ++tries) {
        // Before anything else: if the former put has succeeded, these edits are committed already.
        if (auto former = outcome_of_former_put())
            return {*former, *former};
        bool pruned = false;
        // Step 3.
        const auto found = newest(pruned);
        if (pruned)
            continue;
        const chunk_state before = found ? *found : chunk_state();
        // A sweep was begun since our files were staged. Some of them may be gone, and the rest may follow.
        if (before.epoch != base_.epoch)
            throw conflict("staged files were swept");
        // Step 4. The parent's id lets readers and `prune` tell records that count from displaced ones.
        chunk_state next = remade(before, move);
        next.number = before.number + 1;
        next.id = id_;
        next.parent = before.id;
        if (next.dataset.empty())
            next.dataset = dataset_;
        // The new epoch becomes visible before anything is swept: writers that staged earlier notice it in step 3.
        epoch_before_ = next.epoch;
        next.epoch += new_epoch ? 1 : 0;
        next.created = now_text();
        // Step 5.
        fold(next);
        committed made{next, next};
        const auto text = checked_record_text(next);
        if (options_.sync)
            files_->sync_names();  // before the record: it may become durable at any time after its put
        // Steps 6 and 7.
        const auto result = put(next, text);
        if (result == put_result::stands ||
            (result == put_result::put && or_unknown(next.number, [&] { return stands(next, before); })))
            return made;
    }
    throw conflict("others commit all the time");
}

NDKEEP_INLINE std::optional<chunk_state> staging::outcome_of_former_put() {
    if (!uncertain_)
        return std::nullopt;
    const std::uint64_t number = uncertain_->number;
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
            // No sweep follows. The list of this call was made after the new epoch became visible, so it may hold files
            // of writers that have noted the new epoch and would not notice the sweep.
            epoch_before_ = present->epoch;
            uncertain_.reset();
            return present;
        }
        // Our record is displaced: newer records are present, and none of them was made on top of it.
        if (own)
            where().remove("commits/" + record_name(number));
        uncertain_.reset();
        return std::nullopt;
    });
}

NDKEEP_INLINE chunk_state staging::remade(const chunk_state& before, const chunk_mover& move) {
    // Nobody has committed since, so `work_` is the result already.
    if (before.number == base_.number)
        return work_;
    chunk_state next = before;
    // The staged bytes are rows of the old form. Only an edit that replaces all rows brings its own.
    if (before.type != work_.type || before.row_shape != work_.row_shape || before.order_by != work_.order_by ||
        before.sum != work_.sum)
        if (edits_.empty() || edits_.front().what != chunk_edit::kind::replace_all)
            throw conflict("the dtype, the shape of a row or the order has changed");
    for (const auto& each : edits_) {
        std::string why;
        // A merge changes no row, so the commit does without it. The append that it belongs to must not fail.
        if (!edit_maker(next, before.number + 1, move).make(each, why) && each.what != chunk_edit::kind::merge)
            throw conflict(why + " in commit " + std::to_string(before.number));
    }
    // Metadata is replaced as one value, so the last writer to commit determines it.
    if (metadata_)
        next.metadata = *metadata_;
    return next;
}

NDKEEP_INLINE void staging::fold(chunk_state& state) {
    // An entry takes some 140 bytes of text, so 128 items keep a record below 20 KB, metadata aside. A fold leaves at
    // most 65 items: it puts and syncs one more file, and must not be due at every commit.
    constexpr std::size_t most = 128, folded = 64;
    auto& items = state.items;
    if (items.size() <= most)
        return;
    std::size_t begin = items.size() - folded, gathered = 0;
    for (std::size_t i = begin; i < items.size(); ++i)
        gathered += items[i].count();
    // Extended to the left as long as the next item is not longer than what is gathered: a long table is not copied for
    // the sake of a few new entries.
    while (begin > 0 && items[begin - 1].count() <= gathered)
        gathered += items[--begin].count();
    // More than 64 items would be left, and the next fold would be due too soon. Fold everything into one table.
    if (begin > folded)
        begin = 0;
    auto table = std::make_shared<chunk_table>();
    for (std::size_t i = begin; i < items.size(); ++i)
        for (std::size_t j = 0; j < items[i].count(); ++j)
            table->entries.push_back(items[i].at(j));
    table->count_rows();
    const auto text = table_bytes(table->entries, state);
    const auto bytes = bytes_of(text);
    table->sum = hex_text(crc32c(bytes));
    // Staged as any chunk: if this try fails, the file is removed with the others.
    table->file = stage({&bytes, 1}, 0);
    sync_late(table->file);
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(begin), items.end());
    const std::size_t count = table->entries.size();
    // The next read of the newest state finds the table in memory.
    log_.know_table(table);
    items.push_back({.table = std::move(table), .from = 0, .to = count});
}

NDKEEP_INLINE std::string staging::checked_record_text(const chunk_state& next) const {
    auto text = record_text(next);
    // Refused before the put: a record that no reader accepts would occupy its number and block all later commits.
    if (text.size() > longest_record)
        throw mismatch_error({.file = where().called("commits/" + record_name(next.number)),
                              .field = "record",
                              .expected = "at most " + counted(longest_record, "byte"),
                              .found = counted(text.size(), "byte"),
                              .hint = "metadata is for small things"});
    return text;
}

NDKEEP_INLINE staging::put_result staging::put(const chunk_state& next, const std::string& text) {
    const auto bytes = bytes_of(text);
    // Before the put, so that every way out of it leaves the writer uncertain: the record may exist from here on.
    uncertain_ = next;
    bool is_new = false;
    try {
        is_new = where().put("commits/" + record_name(next.number), {&bytes, 1}, options_.sync);
    } catch (const error&) {
        // A put can succeed although its reply is lost, as over NFS. If the record counts, the commit has succeeded.
        if (outcome_of_former_put())
            return put_result::stands;
        // Still uncertain, although no record was found: a store may carry out a request later that it has reported as
        // failed. The next try looks again.
        uncertain_ = next;
        throw;
    }
    if (is_new)
        return put_result::put;
    const auto present = or_unknown(next.number, [&] { return log_.identity_of(next.number); });
    if (present && present->id == id_)
        return put_result::put;  // ours, from a try that was reported as failed
    // The number has another writer's record, so nothing of ours is left to look for.
    uncertain_.reset();
    return put_result::taken;
}

NDKEEP_INLINE bool staging::stands(const chunk_state& next, const chunk_state& before) {
    // The first record has no parent to look for.
    if (before.number == 0 && log_.newest_number() == next.number)
        return true;
    // Record N is asked for after N + 1 was put, and by id: a displaced record may have its number. If it is present,
    // no record above it has been pruned, so N + 1 was free because it was new.
    const auto parent = before.number == 0 ? std::nullopt : log_.identity_of(before.number);
    if (parent && parent->id == before.id)
        return true;
    // N is gone, so N + 1 may be a number that was used before. The record counts if it is the newest, because readers
    // begin there, or if a record on top of it has confirmed it since.
    if (log_.newest_number() == next.number)
        return true;
    const auto child = log_.identity_of(next.number + 1);
    if (child && child->parent == id_)
        return true;
    // Displaced. It may be removed only if it is still ours: a record of another id means that ours has been removed,
    // and whether it counted for a while is unknown.
    const auto own = log_.identity_of(next.number);
    if (!own || own->id != id_)
        outcome_unknown(next.number, std::make_error_code(std::errc::io_error));
    // Removed before the next try, so that no listing made while others prune can show it as the newest record.
    where().remove("commits/" + record_name(next.number));
    uncertain_.reset();
    return false;
}

NDKEEP_INLINE void staging::finish(committed made) {
    if (options_.sync) {
        try {
            // Step 8. The record's bytes are durable since its put, its name only after this.
            where().sync_names("commits");
        } catch (const io_error& problem) {
            // Not tried again: after a failed fsync the kernel may report success although nothing was written.
            closed_ = true;
            throw io_error(where().called("commits/" + record_name(made.state.number)),
                           "visible, but may not survive a power cut", problem.code());
        }
    }
    const bool was_first = base_.number == 0;
    // Nothing below throws: the commit stands, and this object must agree with it.
    uncertain_.reset();
    id_.clear();
    base_ = std::move(made.state);
    work_ = std::move(made.work);
    edits_.clear();
    metadata_.reset();
    is_followed_ = was_first;
}

NDKEEP_INLINE void staging::clean_up(const std::vector<std::string>& listed, const std::vector<std::string>& own) {
    try {
        log_.keep_tables_of(base_);
        // The lease moves on to the new commit. Holding the old one would keep its files from being pruned.
        lease_ = where().locks();
        (void)lease_.lock_shared(base_.number);
        remove_unnamed(own);
        // Only after a commit that has raised the epoch, or writers would not notice that their files are gone.
        if (base_.epoch != epoch_before_)
            sweep_listed(log_, listed, own, base_, locks_);
        first_ = false;
        if (std::exchange(is_followed_, false))
            where().remove(dataset_name());  // the first record holds the id now
        prune_if_due();
    } catch (const std::exception&) {
        // The commit stands, so no error may leave this function. A sweep is not tried again by this writer.
        first_ = false;
    }
}

NDKEEP_INLINE void staging::prune_if_due() {
    // Tried once in `keep` commits only: a long reader may keep old commits from being pruned, and each try lists all
    // records. The bound keeps `2 * keep` from overflowing; `everything` is above it.
    if (options_.keep == 0 || base_.number % options_.keep != 0 ||
        options_.keep > std::numeric_limits<std::uint64_t>::max() / 4)
        return;
    if (log_.numbers().size() >= 2 * options_.keep)
        (void)prune(log_, options_.keep);
}

}  // namespace ndkeep::detail
