// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/commit.hpp>: the steps of a commit, and the cleaning after it.
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
#include <cerrno>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE transaction::rebase_result transaction::rebase() {
    bool pruned = false;
    const auto found = newest(pruned);
    if (pruned)
        return rebase_result::pruned;
    const chunk_state before = found ? *found : chunk_state();
    check_form(before);
    // If nobody has committed since, `work_` is the result already.
    return before.number == base_.number ? rebase_result::rebased : rebase_on(before);
}

NDKEEP_INLINE void transaction::check_form(const chunk_state& newest) const {
    if (newest.number != base_.number && newest.is_absent() &&
        (edits_.empty() || edits_.front().edit.what != chunk_edit::kind::replace_all))
        throw conflict("removed the array", newest.number);
    // A sweep was begun since our files were staged: some of them may be gone, and the rest may follow. Or the array
    // was removed, and is another one now.
    if (newest.epoch != base_.epoch)
        throw conflict(where().locks().is_open() ? "swept the staged files"
                                                 : "swept the staged files, or removed the array",
                       newest.number);
    if (newest.number == base_.number)
        return;
    // The staged bytes are rows of the old form. Only an edit that replaces all rows brings its own.
    if (newest.type != work_.type || newest.row_shape != work_.row_shape || newest.order_by != work_.order_by ||
        newest.then_by != work_.then_by || newest.sum != work_.sum)
        if (edits_.empty() || edits_.front().edit.what != chunk_edit::kind::replace_all)
            throw conflict("changed the dtype, the shape of a row, the order or the checksum", newest.number);
}

NDKEEP_INLINE transaction::rebase_result transaction::rebase_on(const chunk_state& newest) {
    chunk_state next = newest;
    std::vector<noted_edit> fitting;
    for (const auto& each : edits_) {
        edit_maker maker(next, newest.number + 1, true);
        std::string why;
        if (maker.make(each.edit, why)) {
            const bool moves = each.edit.what == chunk_edit::kind::append || each.edit.what == chunk_edit::kind::by_key;
            fitting.push_back({each.edit, moves ? maker.row() : each.row});
        } else if (each.edit.what == chunk_edit::kind::by_key) {
            return rebase_result::outdated;
        } else if (each.edit.what != chunk_edit::kind::merge) {
            // A merge changes no row, so the commit does without it. The append that it belongs to must not fail.
            throw conflict(why, newest.number);
        }
    }
    // Metadata is replaced as one value, so the last writer to commit determines it.
    if (metadata_)
        next.metadata = *metadata_;
    // The old lease is released only now, so the base was never without one.
    byte_locks lease = where().locks();
    (void)lease.lock_shared(newest.number);
    chunk_state base = newest;
    // Nothing below throws: a failure leaves the edits as they were.
    base_ = std::move(base);
    work_ = std::move(next);
    edits_ = std::move(fitting);
    lease_ = std::move(lease);
    return rebase_result::rebased;
}

NDKEEP_INLINE transaction::former_edits transaction::start_over() {
    check_usable();
    auto opened = open_state(log_);
    check_form(opened.state);
    former_edits former{base_, work_, {}, {}, {}};
    for (auto& each : edits_) {
        former.edits.push_back(each.edit);
        former.rows.push_back(each.row);
    }
    chunk_state work = opened.state;
    if (metadata_)
        work.metadata = *metadata_;
    // Nothing below throws.
    former.lease = std::move(lease_);
    base_ = std::move(opened.state);
    lease_ = std::move(opened.lease);
    work_ = std::move(work);
    edits_.clear();
    return former;
}

NDKEEP_INLINE void transaction::give_back(former_edits&& former) noexcept {
    base_ = std::move(former.base);
    work_ = std::move(former.work);
    lease_ = std::move(former.lease);
    edits_.clear();
    for (std::size_t i = 0; i < former.edits.size(); ++i)
        edits_.push_back({std::move(former.edits[i]), former.rows[i]});
}

NDKEEP_INLINE std::vector<moved_file> transaction::moved_files() const {
    std::vector<moved_file> moved;
    const auto named = named_entries();
    for (const auto& [edit, begin] : edits_) {
        std::uint64_t from = edit.first_row, to = begin;
        for (const auto& entry : edit.added) {
            // The data offset of a padded file fits one row only. Zeros have no file.
            if (from != to && !entry.file.empty() && named.count(entry.file) != 0)
                moved.push_back({entry, from, to});
            from += entry.rows;
            to += entry.rows;
        }
    }
    return moved;
}

NDKEEP_INLINE void transaction::use_instead(const std::vector<chunk_entry>& staged) {
    std::size_t next = 0;
    const auto named = named_entries();
    std::map<std::string, chunk_entry> renamed;
    for (auto& [edit, begin] : edits_) {
        // Later edits may expect chunks that earlier ones have added.
        rename_entries(edit, renamed);
        if (edit.first_row == begin)
            continue;
        for (auto& entry : edit.added)
            if (!entry.file.empty() && named.count(entry.file) != 0) {
                const auto& again = staged.at(next++);
                if (again.file != entry.file)
                    renamed[entry.file] = again;
                entry = again;
            }
        edit.first_row = begin;
    }
    chunk_state work = base_;
    for (const auto& each : edits_) {
        std::string why;
        if (!edit_maker(work, base_.number + 1).make(each.edit, why))
            throw conflict(why, base_.number);
    }
    if (metadata_)
        work.metadata = *metadata_;
    work_ = std::move(work);
}

NDKEEP_INLINE void transaction::fold(chunk_state& state) {
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
    table->file = files_->put({&bytes, 1}, 0);
    // Step 1 is over by now, so it would otherwise be named without being on the disk.
    if (options_.sync)
        files_->sync(table->file);
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(begin), items.end());
    const std::size_t count = table->entries.size();
    // The next read of the newest state finds the table in memory.
    log_.know_table(table);
    items.push_back({.table = std::move(table), .from = 0, .to = count});
}

NDKEEP_INLINE std::string transaction::checked_record_text(const chunk_state& next) const {
    auto text = record_text(next);
    // Refused before the put: a record that no reader accepts would occupy its number and block all later commits.
    if (text.size() > longest_record)
        throw mismatch_error({.file = where().called(record_path(next.number)),
                              .field = "record",
                              .expected = "at most " + counted(longest_record, "byte"),
                              .found = counted(text.size(), "byte"),
                              .hint = "store large metadata as an array"});
    return text;
}

/// Whether a disk is full, or a user has no more space on it.
[[nodiscard]] inline bool is_lack_of_space(const std::error_code& why) {
    return why == std::errc::no_space_on_device || why == std::error_condition(EDQUOT, std::generic_category());
}

NDKEEP_INLINE transaction::put_result transaction::put(const chunk_state& next, const std::string& text) {
    const auto bytes = bytes_of(text);
    // Before the put, so that every way out of it leaves the writer uncertain: the record may exist from here on.
    phase_ = phase::uncertain;
    put_number_ = next.number;
    bool is_new = false, is_full = false;
    try {
        try {
            is_new = where().put(record_path(next.number), {&bytes, 1}, durability_of(options_.sync));
        } catch (const io_error& problem) {
            is_full = is_lack_of_space(problem.code());
            throw;
        }
    } catch (const error&) {
        // A put can succeed although its reply is lost, as over NFS. If the record counts, the commit has succeeded.
        if (outcome_of_former_put())
            return put_result::stands;
        // Still uncertain, although no record was found: a store may carry out a request later that it has reported as
        // failed. The next try looks again. Only a lack of space is an answer and no lost reply: then the files may be
        // removed, which frees their space.
        if (!is_full)
            phase_ = phase::uncertain;
        throw;
    }
    if (is_new)
        return put_result::put;
    const auto present = or_unknown(next.number, [&] { return log_.identity_of(next.number); });
    // Gone again, so it was pruned. It may have been ours: over NFS, a put whose reply was lost finds its own name
    // taken.
    if (!present)
        outcome_unknown(next.number, std::make_error_code(std::errc::io_error));
    // Ours, from a try that was reported as failed; or another writer's.
    return present->id == id_ ? put_result::put : put_result::taken;
}

NDKEEP_INLINE bool transaction::stands(const chunk_state& next) {
    // The first record has no parent to look for.
    if (base_.number == 0 && log_.newest_number() == next.number)
        return true;
    // Record N is asked for after N + 1 was put, and by id: a displaced record may have its number. If it is present,
    // no record above it has been pruned, so N + 1 was free because it was new.
    const auto parent = base_.number == 0 ? std::nullopt : log_.identity_of(base_.number);
    if (parent && parent->id == base_.id)
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
    where().remove(record_path(next.number));
    return false;
}

NDKEEP_INLINE void transaction::finish(committed made) {
    if (options_.sync) {
        try {
            // Step 8. The record's bytes are durable since its put, its name only after this.
            where().sync_names(commits_folder);
        } catch (const io_error& problem) {
            // Not tried again: after a failed fsync the kernel may report success although nothing was written.
            phase_ = phase::closed;
            throw io_error(where().called(record_path(made.state.number)), "visible, but may not survive a power cut",
                           problem.code());
        }
    }
    // Nothing below throws: the commit stands, and this object must agree with it.
    phase_ = phase::open;
    id_.clear();
    base_ = std::move(made.state);
    work_ = std::move(made.work);
    edits_.clear();
    metadata_.reset();
}

NDKEEP_INLINE void transaction::clean_up(const commit_attempt& attempt, bool sweeps,
                                         const std::vector<std::string>& own) {
    try {
        log_.keep_tables_of(base_);
        // The lease moves on to the new commit. Holding the old one would keep its files from being pruned.
        lease_ = where().locks();
        (void)lease_.lock_shared(base_.number);
        remove_unnamed(own);
        // Only after a commit that has raised the epoch, or writers would not notice that their files are gone.
        if (sweeps)
            sweep_listed(log_, attempt.listed(), own, base_, locks_);
        if (attempt.is_first_record)
            where().remove(drawn_id_path());  // the first record holds the id now
        prune_if_due();
    } catch (const std::exception&) {
        // The commit stands, so no error may leave this function. A sweep is not tried again by this writer.
    }
}

NDKEEP_INLINE void transaction::prune_if_due() {
    // Tried once in `keep` commits only: a long reader may keep old commits from being pruned, and each try lists all
    // records. The bound keeps `2 * keep` from overflowing; `everything` is above it.
    if (options_.keep == 0 || base_.number % options_.keep != 0 ||
        options_.keep > std::numeric_limits<std::uint64_t>::max() / 4)
        return;
    if (log_.numbers().size() >= 2 * options_.keep)
        (void)prune(log_, options_.keep);
}

}  // namespace ndkeep::detail
