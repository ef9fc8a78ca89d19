// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/session.hpp>: what concerns the keys of rows.
#pragma once

#include <ndkeep/chunks/detail/session.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/chunks/detail/order.hpp>
#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/chunks/detail/ordered/merge_rows.hpp>
#include <ndkeep/chunks/detail/ordered/unique.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/store/edit.hpp>
#include <ndkeep/work/parallel.hpp>

#include <limits>
#include <map>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE bool chunk_session::stays_in_period(const array_view& view) const {
    const std::size_t count = view.shape()[0];
    const auto row_bytes = static_cast<std::size_t>(state().row_bytes());
    if (pending_rows_ == 0 || count == 0 || view.contiguous() == nullptr ||
        !conversion(view.type(), state().type, place_->path()).is_identity())
        return false;
    row_codes last;
    codes_of(state(), {view.contiguous() + (count - 1) * row_bytes, row_bytes}, 1, last);
    const cut_rule by = rule();
    if (by.period_at(last.first.front()) != by.period_at(code_of(last_pending_->first, by.form)))
        return false;
    // The last row tells only if the rows are in order. If they are appended block by block, that is checked too late:
    // a block may have left the period before a later one is refused.
    if (count > rows_of_a_chunk())
        row_order(state(), place_->path()).check_sorted({view.contiguous(), view.nbytes()}, count);
    return true;
}

NDKEEP_INLINE void chunk_session::merge(const array_view& rows, const merge_options& options, progress_meter& meter) {
    // Before the first merge sets the form of a new dataset.
    if (is_new() ? !options_.order_by.first() : !state().order_by)
        refuse_unordered("merge");
    const auto view = checked(rows);
    const std::size_t count = view.shape()[0];
    std::optional<compared_values> unique;
    if (!options.unique_by.is_none())
        unique.emplace(state(), options.unique_by.names(), place_->path());
    // Rows in memory that need no conversion are not copied.
    const conversion convert(view.type(), state().type, place_->path());
    buffer block;
    std::span<const std::byte> bytes;
    if (view.contiguous() != nullptr && convert.is_identity()) {
        bytes = {view.contiguous(), view.nbytes()};
    } else {
        const buffer from(view.nbytes());
        view.fill(0, view.size(), from.data());
        block = buffer(count * static_cast<std::size_t>(state().row_bytes()));
        convert.run(block.data(), from.data(), view.size());
        bytes = block.bytes();
    }
    row_order(state(), place_->path()).check_sorted(bytes, count);
    all_or_nothing(false, [&] {
        // Held rows become a chunk first: they are present rows too.
        flush();
        check_number(state().rows, count);
        key_changes(transaction_, files_, rule(), options.coalesce_above, threads())
            .merge(bytes, count, unique ? &*unique : nullptr, meter);
        meter.finish();
    });
}

NDKEEP_INLINE std::uint64_t chunk_session::erase(const key_bound& from, const key_bound& to) {
    if (is_new())
        return 0;  // the dataset has no rows yet
    if (!state().order_by)
        refuse_unordered("erase");
    const auto keys = key_type(state());
    const char form = number_form(keys);
    const auto low = code_from(from.in(keys, place_->path()), form), end = code_from(to.in(keys, place_->path()), form);
    if (!low || (end && *end <= *low))
        return 0;
    std::uint64_t erased = 0;
    all_or_nothing(false, [&] {
        flush();
        erased = key_changes(transaction_, files_, rule(), 0, threads())
                     .erase({*low, end ? *end - 1 : std::numeric_limits<key_code>::max()});
    });
    return erased;
}

NDKEEP_INLINE unsigned chunk_session::threads() const {
    // One that merges rows and one that writes them keep each other busy; more would only hold more chunks.
    return threads_for(2, options_.run);
}

NDKEEP_INLINE void chunk_session::refuse_unordered(const char* verb) const {
    throw mismatched(place_->path(), "order_by", std::string("an order, which ") + verb + " needs", "none",
                     "save_chunked with .order_by = … sets it");
}

NDKEEP_INLINE void chunk_session::make_again() {
    auto former = transaction_.start_over();
    try {
        key_changes changes(transaction_, files_, rule(), 0, threads());
        chunk_state before = former.base;
        // A dataset that had no commit has got its form from this writer.
        if (before.type.size() == 0) {
            before.type = former.work.type;
            before.row_shape = former.work.row_shape;
            before.order_by = former.work.order_by;
            before.then_by = former.work.then_by;
            before.sum = former.work.sum;
        }
        std::map<std::string, chunk_entry> renamed;  // chunks that are staged again
        for (auto edit : former.edits) {
            // The state that the edit was made on, and where it was made.
            chunk_state after = before;
            edit_maker maker(after, before.number + 1);
            std::string why;
            (void)maker.make(edit, why);
            edit.first_row = maker.row();
            const chunk_edit made = edit;
            rename_entries(edit, renamed);
            chunk_state now = state();
            edit_maker tried(now, now.number + 1, true);
            const bool fits = tried.make(edit, why);
            if (!fits && edit.what == chunk_edit::kind::by_key) {
                changes.make_again(before, made);
            } else if (!fits && edit.what != chunk_edit::kind::merge) {
                throw conflict_error({.file = place_->path(),
                                      .found = "another writer " + why + "; discard this transaction and try again"});
            } else if (fits) {
                std::uint64_t from = edit.first_row, to = tried.row();
                edit.first_row = to;
                for (auto& entry : edit.added) {
                    const std::uint64_t rows = entry.rows;
                    if (!entry.file.empty() && from != to) {
                        auto moved = files_.moved({entry, from, to});
                        if (moved.file != entry.file)
                            renamed[entry.file] = moved;
                        entry = std::move(moved);
                    }
                    from += rows;
                    to += rows;
                }
                transaction_.edit(std::move(edit));
            }
            before = std::move(after);
        }
    } catch (...) {
        transaction_.give_back(std::move(former));
        throw;
    }
}

NDKEEP_INLINE cut_rule chunk_session::rule() const {
    const auto keys = state().order_by ? key_type(state()) : dtype();
    if (!options_.rows_per_chunk.is_period())
        return {.rows = rows_of_a_chunk(), .form = number_form(keys)};
    if (!state().order_by)
        throw mismatched(place_->path(), "order_by", "an order, whose keys chunk_period divides", "none",
                         "save_chunked with .order_by = … sets it");
    return {.period = options_.rows_per_chunk.period(keys, place_->path()), .form = number_form(keys)};
}

NDKEEP_INLINE void chunk_session::hold_by_period(std::span<const std::byte> bytes, std::size_t rows, const cut_rule& by,
                                                 const std::optional<row_key>& last_held) {
    row_codes codes;
    codes_of(state(), bytes, rows, codes);
    const auto row_bytes = static_cast<std::size_t>(state().row_bytes());
    auto held = last_held ? by.period_at(code_of(last_held->first, by.form)) : 0;
    for (std::size_t from = 0; from < rows;) {
        const auto period = by.period_at(codes.first[from]);
        if (pending_rows_ != 0 && period != held)
            stage_pending();
        held = period;
        std::size_t to = from + 1;
        while (to < rows && by.period_at(codes.first[to]) == period)
            ++to;
        hold(bytes.subspan(from * row_bytes, (to - from) * row_bytes), to - from);
        from = to;
    }
}

NDKEEP_INLINE void chunk_session::check_order_between(std::uint64_t first_row, std::span<const std::byte> bytes,
                                                      std::uint64_t rows) {
    if (!state().order_by || rows == 0)
        return;
    const row_order order(state(), place_->path());
    order.check_sorted(bytes, static_cast<std::size_t>(rows));
    const auto [first, end] = order.ends_of(bytes, static_cast<std::size_t>(rows));
    // The rows before and after are read: chunks keep only the keys at their ends, and these rows may lie inside.
    const auto key_of = [&](std::uint64_t row) { return order.ends_of(files_.rows(row, row + 1).bytes(), 1).first; };
    if (first_row > 0)
        if (const auto before = key_of(first_row - 1); less(first, before))
            order.refuse(first_row, before, first);
    if (const std::uint64_t next = first_row + rows; next < state().rows)
        if (const auto behind = key_of(next); less(behind, end))
            order.refuse(next, end, behind);
}

NDKEEP_INLINE void chunk_session::check_order(std::span<const std::byte> bytes, std::size_t rows) {
    if (!state().order_by || rows == 0)
        return;
    const row_order order(state(), place_->path());
    order.check_sorted(bytes, rows);
    const auto* const last = state().last_entry();
    // The key before is that of the last held row, or the maximum of the last chunk, which is sorted.
    auto before = pending_rows_ != 0 ? last_pending_ : std::nullopt;
    // A chunk of another writer may have no maximum.
    const auto last_row = [&] { return order.ends_of(files_.rows(state().rows - 1, state().rows).bytes(), 1).second; };
    if (pending_rows_ == 0 && last != nullptr)
        before = last->max ? row_key{*last->max, std::nullopt} : last_row();
    const auto [first, end] = order.ends_of(bytes, rows);
    // Records keep the first field only. Where it is equal, the last row itself is asked for its second one.
    if (before && !before->second && first.second && !less(*before, first) && !less(first, *before))
        before = last_row();
    if (before && less(first, *before))
        order.refuse(this->rows(), *before, first);
    last_pending_ = end;
}

}  // namespace ndkeep::detail
