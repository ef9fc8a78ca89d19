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
        log_.check_unused();  // before anything is made there
    locks_ = where.locks();
    // Who sweeps holds the lock alone, for a moment: whoever went on without waiting would be swept next.
    shares_writing_ = locks_.is_open() && locks_.lock_shared_within(lock_writing, options_.patience);
    if (is_new && !log_.newest_number())
        dataset_ = log_.future_dataset(options_.sync);
    // Before the first file is put: one that is swept meanwhile is then noticed. There may be a first commit since.
    if (!is_new || log_.newest_number()) {
        open_newest();
        dataset_ = base_.dataset;
    }
    work_ = base_;
    files_.emplace(where, dataset_);
}

NDKEEP_INLINE staging::~staging() {
    forget_files();
    // A child that was forked meanwhile must keep nobody from sweeping or pruning.
    locks_.unlock_all();
    lease_.unlock_all();
}

NDKEEP_INLINE bool staging::has_edits() const noexcept {
    return !edits_.empty() || metadata_ || (base_.number == 0 && work_.type.size() != 0);
}

NDKEEP_INLINE void staging::check_usable() const {
    owner_.check(where().called(""));
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
    edits_.erase(edits_.begin() + static_cast<std::ptrdiff_t>(to.edits), edits_.end());
    work_ = std::move(to.work);
}

NDKEEP_INLINE std::string staging::stage(place::parts bytes, std::uint64_t row, std::string_view ending) {
    check_usable();
    return files_->put(bytes, row, ending);
}

NDKEEP_INLINE void staging::sync_late(const std::string& name) {
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
    if (!edit_maker(work_, base_.number + 1, {}).make(made, why))
        throw conflict(why);
    edits_.push_back(std::move(made));
}

NDKEEP_INLINE void staging::set_metadata(const json& meta) {
    check_usable();
    metadata_ = meta;
    work_.metadata = meta;
}

NDKEEP_INLINE void staging::discard() noexcept {
    forget_files();
    edits_.clear();
    metadata_.reset();
    uncertain_.reset();
    id_.clear();
    try {
        if (log_.newest_number())
            open_newest();
    } catch (...) {
        // The next commit hears of it.
    }
    work_ = base_;
}

NDKEEP_INLINE std::uint64_t staging::commit(const chunk_mover& move) {
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
        files_->sync(added_files());  // step 1
    else
        files_->check(added_files());
    const bool alone = first_ && shares_writing_ && locks_.lock(lock_writing);
    struct shared_again {
        ~shared_again() {
            if (alone)
                (void)locks.lock_shared(lock_writing);
        }
        byte_locks& locks;
        bool alone;
    };
    const shared_again afterwards{locks_, alone};
    const auto before = alone ? where().list("chunks") : std::vector<std::string>();
    const commit_turn turn(where(), options_.patience);  // step 2

    committed made = put_on_top(move, alone && may_have_orphans(before));
    const auto own = files_->release();  // which count from now on
    finish(std::move(made));
    clean_up(before, own);
    return base_.number;
}

NDKEEP_INLINE void staging::open_newest() {
    auto opened = open_state(log_);
    base_ = std::move(opened.state);
    lease_ = std::move(opened.lease);
}

NDKEEP_INLINE void staging::forget_files() noexcept {
    if (!files_)
        return;
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
    for (const auto& file : loop_files(work_.loops))
        files.insert(file);
    return files;
}

NDKEEP_INLINE void staging::remove_unnamed(const std::vector<std::string>& own) {
    const std::set<std::string> staged(own.begin(), own.end());
    std::set<std::string> named;
    add_loop_names(base_, named);
    for (const auto& item : base_.items) {
        if (item.table != nullptr)
            named.insert(item.table->file);
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
    add_names(base_, named);
    return std::any_of(files.begin(), files.end(), [&](const std::string& name) {
        return is_staged_name(name, dataset_) && named.count(name) == 0;
    });
}

NDKEEP_INLINE std::optional<chunk_state> staging::newest(bool& pruned) {
    pruned = false;
    const auto number = base_.number == 0 ? log_.newest_number() : log_.newest_number(base_.number);
    if (!number)
        return std::nullopt;
    if (*number == base_.number)
        return base_;
    auto state = log_.read(*number);
    pruned = !state;
    return state;
}

NDKEEP_INLINE void staging::outcome_unknown(std::uint64_t number, const std::error_code& why) {
    closed_ = true;
    throw io_error(where().called("commits/" + record_name(number)), "outcome unknown", why,
                   "open the dataset again to see whether it has this commit");
}

NDKEEP_INLINE staging::committed staging::put_on_top(const chunk_mover& move, bool new_epoch) {
    constexpr int most_tries = 16;
    if (id_.empty())
        id_ = random_identity();
    for (int tries = 0; tries < most_tries; ++tries) {
        if (auto former = outcome_of_former_put())
            return {*former, *former};
        bool pruned = false;
        const auto found = newest(pruned);
        if (pruned)
            continue;
        const chunk_state before = found ? *found : chunk_state();
        if (before.epoch != base_.epoch)
            throw conflict("staged files were swept");
        chunk_state next = remade(before, move);
        next.number = before.number + 1;
        next.id = id_;
        next.parent = before.id;
        if (next.dataset.empty())
            next.dataset = dataset_;
        epoch_before_ = next.epoch;
        next.epoch += new_epoch ? 1 : 0;
        next.created = now_text();
        fold(next);
        committed made{next, next};
        const auto text = checked_record_text(next);
        if (options_.sync)
            files_->sync_names();  // before they are named
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
        // Neither ours nor one that counts, and the log has gone on: ours may have been there, and been pruned.
        if (!own && !stands && newest_present >= number)
            outcome_unknown(number, std::make_error_code(std::errc::io_error));
        if (own && stands) {
            epoch_before_ = present->epoch;  // whether files are to be swept was decided then
            uncertain_.reset();
            return present;
        }
        if (own)
            where().remove("commits/" + record_name(number));
        uncertain_.reset();
        return std::nullopt;
    });
}

NDKEEP_INLINE chunk_state staging::remade(const chunk_state& before, const chunk_mover& move) {
    if (before.number == base_.number)
        return work_;
    chunk_state next = before;
    if (before.type != work_.type || before.row_shape != work_.row_shape || before.order_by != work_.order_by ||
        before.sum != work_.sum)
        if (edits_.empty() || edits_.front().what != chunk_edit::kind::replace_all)
            throw conflict("the dtype, the shape of a row or the order has changed");
    for (const auto& each : edits_) {
        std::string why;
        if (!edit_maker(next, before.number + 1, move).make(each, why) && each.what != chunk_edit::kind::merge)
            throw conflict(why + " in commit " + std::to_string(before.number));
    }
    if (metadata_)
        next.metadata = *metadata_;
    return next;
}

NDKEEP_INLINE void staging::fold(chunk_state& state) {
    constexpr std::size_t most = 128, folded = 64;
    auto& items = state.items;
    if (items.size() <= most)
        return;
    std::size_t begin = items.size() - folded, gathered = 0;
    for (std::size_t i = begin; i < items.size(); ++i)
        gathered += items[i].count();
    while (begin > 0 && items[begin - 1].count() <= gathered)
        gathered += items[--begin].count();
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
    table->file = stage({&bytes, 1}, 0);
    sync_late(table->file);
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(begin), items.end());
    const std::size_t count = table->entries.size();
    log_.know_table(table);
    items.push_back({.table = std::move(table), .from = 0, .to = count});
}

NDKEEP_INLINE std::string staging::checked_record_text(const chunk_state& next) const {
    auto text = record_text(next);
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
    uncertain_ = next;
    bool is_new = false;
    try {
        is_new = where().put("commits/" + record_name(next.number), {&bytes, 1}, options_.sync);
    } catch (const error&) {
        if (outcome_of_former_put())
            return put_result::stands;
        // A store may still carry out what it has reported as failed: the next try looks again.
        uncertain_ = next;
        throw;
    }
    if (is_new)
        return put_result::put;
    const auto present = or_unknown(next.number, [&] { return log_.identity_of(next.number); });
    if (present && present->id == id_)
        return put_result::put;  // our own, from a try that was reported as failed
    uncertain_.reset();
    return put_result::taken;
}

NDKEEP_INLINE bool staging::stands(const chunk_state& next, const chunk_state& before) {
    if (before.number == 0 && log_.newest_number() == next.number)
        return true;
    const auto parent = before.number == 0 ? std::nullopt : log_.identity_of(before.number);
    if (parent && parent->id == before.id)
        return true;
    if (log_.newest_number() == next.number)
        return true;
    const auto child = log_.identity_of(next.number + 1);
    if (child && child->parent == id_)
        return true;
    const auto own = log_.identity_of(next.number);
    if (!own || own->id != id_)
        outcome_unknown(next.number, std::make_error_code(std::errc::io_error));
    where().remove("commits/" + record_name(next.number));
    uncertain_.reset();
    return false;
}

NDKEEP_INLINE void staging::finish(committed made) {
    if (options_.sync) {
        try {
            where().sync_names("commits");
        } catch (const io_error& problem) {
            closed_ = true;
            throw io_error(where().called("commits/" + record_name(made.state.number)),
                           "visible, but may not survive a power cut", problem.code());
        }
    }
    const bool was_first = base_.number == 0;
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
        lease_ = where().locks();
        (void)lease_.lock_shared(base_.number);
        remove_unnamed(own);
        if (base_.epoch != epoch_before_)
            sweep_listed(log_, listed, own, base_, locks_);
        first_ = false;
        if (std::exchange(is_followed_, false))
            where().remove(dataset_name());  // the record says it now
        prune_if_due();
    } catch (const std::exception&) {
        first_ = false;
    }
}

NDKEEP_INLINE void staging::prune_if_due() {
    if (options_.keep == 0 || base_.number % options_.keep != 0 ||
        options_.keep > std::numeric_limits<std::uint64_t>::max() / 4)
        return;
    if (log_.numbers().size() >= 2 * options_.keep)
        (void)prune(log_, options_.keep);
}

}  // namespace ndkeep::detail
