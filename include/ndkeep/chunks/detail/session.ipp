// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/session.hpp>.
#pragma once

#include <ndkeep/chunks/detail/session.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/detail/merge.hpp>
#include <ndkeep/chunks/detail/order.hpp>
#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/chunks/detail/row_form.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/store/edit.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <thread>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE chunk_session::chunk_session(const dataset_location& where, const chunk_writer_options& options)
    : place_(where.open(local_place::access::write)), options_(options),
      transaction_(*place_, {.sync = options.commit.sync, .keep = options.commit.keep}) {
    options_.run.threads = threads_for_place(*place_, options_.run.threads);
    if (options.commit.keep == 0)
        throw mismatch_error({.file = place_->path(), .field = "keep", .expected = "at least 1", .found = "0"});
    if (is_new())
        return;
    chunk_state wanted;
    wanted.order_by = options_.order_by.first();
    wanted.then_by = options_.order_by.second();
    if (wanted.order_by && (wanted.order_by != state().order_by || wanted.then_by != state().then_by))
        throw mismatched(place_->path(), "order_by", order_text(wanted), order_text(state()));
}

NDKEEP_INLINE void chunk_session::expect(const dtype& type, const std::vector<std::size_t>& row_shape) {
    if (is_new())
        transaction_.begin(state_for_rows(type, row_shape, options_, place_->path()));
    else
        check_rows(state(), type, row_shape, place_->path());
}

NDKEEP_INLINE void chunk_session::start_anew(const dtype& type, const std::vector<std::size_t>& row_shape,
                                             const order_fields& order_by) {
    // Held rows would be replaced as well.
    pending_.clear();
    pending_rows_ = 0;
    options_.order_by = order_by;
    auto anew = std::make_shared<chunk_state>(state_for_rows(type, row_shape, options_, place_->path()));
    transaction_.edit({.what = chunk_edit::kind::replace_all, .anew = std::move(anew)});
}

NDKEEP_INLINE void chunk_session::append(const array_view& rows, progress_meter& meter) {
    const auto view = checked(rows);
    const bool into_memory = options_.rows_per_chunk.is_period() ? stays_in_period(view)
                                                                 : pending_rows_ + view.shape()[0] < rows_of_a_chunk();
    all_or_nothing(into_memory, [&] {
        append_checked(view, meter);
        meter.finish();
    });
}

NDKEEP_INLINE void chunk_session::write(std::uint64_t first, const array_view& rows, progress_meter& meter) {
    all_or_nothing(false, [&] {
        write_checked(first, rows, meter);
        meter.finish();
    });
}

NDKEEP_INLINE void chunk_session::resize(std::uint64_t wanted) {
    if (is_new())
        refuse_new();
    all_or_nothing(false, [&] { resize_checked(wanted); });
}

NDKEEP_INLINE void chunk_session::compact(progress_meter& meter) {
    flush();
    chunk_merger(transaction_, files_, rule()).compact(meter);
}

NDKEEP_INLINE std::uint64_t chunk_session::commit() {
    if (lent_)
        throw conflict_error({.file = place_->path(),
                              .found = "this writer is the output of a pass, so only the loop commits it",
                              .hint = "it commits rows and its position together"});
    return commit_all();
}

NDKEEP_INLINE void chunk_session::discard() noexcept {
    pending_.clear();
    pending_rows_ = 0;
    transaction_.discard();
}

NDKEEP_INLINE void chunk_session::lend() {
    if (lent_)
        throw conflict_error(
            {.file = place_->path(), .field = "writer", .found = "in use as the output of another pass"});
    lent_ = true;
}

NDKEEP_INLINE std::uint64_t chunk_session::commit(note_change&& made) {
    // An edit like any other: the commit applies it together with the appended rows, or none of them.
    transaction_.edit({.what = chunk_edit::kind::set_note,
                       .first_row = state().rows,
                       .note = std::move(made.name),
                       .from_step = made.from_step,
                       .noted = std::move(made.to)});
    return commit_all();
}

NDKEEP_INLINE std::uint64_t chunk_session::commit_all() {
    if (is_new() && transaction_.has_edits())
        refuse_new();
    // After a commit whose outcome is unknown, the retry must commit the same edits: the transaction accepts no new
    // ones until it has found out.
    if (!transaction_.is_uncertain()) {
        flush();
        if (!is_new())
            chunk_merger(transaction_, files_, rule()).merge_tail();
    }
    auto result = transaction_.commit();
    while (result.is_rebased()) {
        std::vector<chunk_entry> staged;
        if (result.is_outdated)
            make_again();
        for (const auto& file : result.moved)
            staged.push_back(files_.moved(file));
        result = transaction_.resume(std::move(result), staged);
    }
    return result.number;
}

NDKEEP_INLINE void chunk_session::refuse_new() const {
    throw mismatch_error({.file = place_->path(),
                          .field = "dataset",
                          .expected = "an existing one",
                          .found = "new",
                          .hint = "append first: that sets the dtype and the shape of a row"});
}

NDKEEP_INLINE std::size_t chunk_session::rows_of_a_chunk() const {
    // A new dataset has rows of 0 bytes until its first append: the size of a chunk divides by the bytes of a row.
    const std::uint64_t rows = options_.rows_per_chunk.rows(std::max<std::uint64_t>(1, state().row_bytes()));
    return static_cast<std::size_t>(rows);
}

NDKEEP_INLINE void chunk_session::append_checked(const array_view& view, progress_meter& meter) {
    const std::size_t count = view.shape()[0];
    const std::uint64_t row_bytes = state().row_bytes();
    const std::size_t chunk_rows = rows_of_a_chunk();
    const cut_rule by = rule();
    const conversion convert(view.type(), state().type, place_->path());
    // Rows without bytes, as of shape (10, 0), have no file.
    if (row_bytes == 0) {
        check_number(state().rows, count);
        if (count != 0)
            transaction_.edit(
                {.what = chunk_edit::kind::append, .first_row = state().rows, .added = {{.rows = count}}});
        return;
    }
    std::size_t done = 0;
    // Full chunks are written straight from the caller's memory if nothing has to be converted.
    if (view.contiguous() != nullptr && convert.is_identity() && by.period == 0) {
        const std::span<const std::byte> all(view.contiguous(), view.nbytes());
        check_order(all, count);
        const auto part = [&](std::size_t from, std::size_t rows_in) {
            return all.subspan(from * static_cast<std::size_t>(row_bytes),
                               rows_in * static_cast<std::size_t>(row_bytes));
        };
        if (pending_rows_ != 0) {
            done = std::min(count, chunk_rows - pending_rows_);
            hold(part(0, done), done);
            if (pending_rows_ == chunk_rows)
                stage_pending();
        }
        const std::size_t whole = (count - done) / chunk_rows;
        stage_chunks(part(done, whole * chunk_rows), chunk_rows, whole, meter);
        done += whole * chunk_rows;
        hold(part(done, count - done), count - done);
        return;
    }
    // Otherwise the rows are converted in blocks, each of which at most fills the chunk, so that memory stays bounded.
    const std::size_t row_elements = count == 0 ? 0 : view.size() / count;
    buffer from, to;
    while (done < count) {
        const std::size_t some = std::min(count - done, by.period == 0 ? chunk_rows - pending_rows_ : chunk_rows);
        to = buffer(some * static_cast<std::size_t>(row_bytes));
        if (!convert.is_identity())
            from = buffer(some * row_elements * static_cast<std::size_t>(view.type().size()));
        const buffer& made = convert.is_identity() ? to : from;
        view.fill(done * row_elements, some * row_elements, made.data());
        if (!convert.is_identity())
            convert.run(to.data(), from.data(), some * row_elements);
        const auto last_held = last_pending_;
        check_order(to.bytes(), some);
        if (by.period != 0)
            hold_by_period(to.bytes(), some, by, last_held);
        else
            hold(to.bytes(), some);
        if (by.period == 0 && pending_rows_ == chunk_rows)
            stage_pending();
        done += some;
        meter.add(0, to.size());
        meter.report();
    }
}

NDKEEP_INLINE void chunk_session::write_checked(std::uint64_t first, const array_view& rows, progress_meter& meter) {
    const auto view = checked(rows);
    const std::uint64_t count = view.shape()[0];
    // Held rows become a chunk first, so that they can be overwritten too.
    flush();
    // Subtracted, because the sum of `first` and `count` could overflow.
    if (first > state().rows || count > state().rows - first)
        throw mismatch_error({.file = place_->path(),
                              .field = "range of rows to write",
                              .expected = "within 0 to " + std::to_string(state().rows),
                              .found = std::to_string(first) + " to " + std::to_string(first + count)});
    const auto row_bytes = static_cast<std::size_t>(state().row_bytes());
    if (count == 0 || row_bytes == 0)
        return;
    const conversion convert(view.type(), state().type, place_->path());
    const buffer from(view.nbytes());
    view.fill(0, view.size(), from.data());
    const buffer block(static_cast<std::size_t>(count) * row_bytes);
    convert.run(block.data(), from.data(), view.size());
    check_order_between(first, block.bytes(), count);

    // The entries are copies, so that the edits below may change the list. No edit changes the number of a row.
    auto [at, entries] = state().between(first, first + count);
    for (const auto& entry : entries) {
        const std::uint64_t begin = std::max(at, first), end = std::min(at + entry.rows, first + count);
        const auto part = block.bytes().subspan(static_cast<std::size_t>(begin - first) * row_bytes,
                                                static_cast<std::size_t>(end - begin) * row_bytes);
        if (entry.file.empty())
            write_zeros(begin, part);
        else
            write_chunk(entry, at, begin, part);
        at += entry.rows;
        meter.add(end - begin, part.size());
        meter.report();
    }
}

NDKEEP_INLINE void chunk_session::resize_checked(std::uint64_t wanted) {
    flush();
    const std::uint64_t rows_now = state().rows;
    if (wanted > rows_now) {
        if (state().order_by)
            throw mismatch_error({.file = place_->path(),
                                  .field = "number of rows",
                                  .expected = "at most " + std::to_string(rows_now),
                                  .found = std::to_string(wanted),
                                  .hint = "new rows would be zeros, which break the order"});
        // Zeros need no disk space, so nothing but this check bounds their number.
        (void)checked_nbytes(state().type, shape_of_rows(wanted, state().row_shape), place_->path());
        const std::uint64_t more = wanted - rows_now;
        check_number(rows_now, more);
        // The edit fits only if the number of rows is still the same at the commit: the caller asked for a total.
        transaction_.edit({.what = chunk_edit::kind::grow,
                           .first_row = rows_now,
                           .added = {{.rows = more, .nbytes = more * state().row_bytes()}}});
    } else if (wanted < rows_now) {
        auto [begin, entries] = state().between(wanted, rows_now);
        chunk_edit cut{.what = chunk_edit::kind::replace, .first_row = begin, .removed = std::move(entries)};
        // A file holds exactly the rows of its entry, so that its checksum stays valid: a chunk that is cut is written
        // again. Zeros have no file.
        if (wanted > begin) {
            const auto rest = wanted - begin;
            const auto& partial = cut.removed.front();
            cut.added.push_back(partial.file.empty() ? chunk_entry{.rows = rest, .nbytes = rest * state().row_bytes()}
                                                     : files_.put(begin, files_.rows(begin, wanted).bytes()));
        }
        transaction_.edit(std::move(cut));
    }
}

NDKEEP_INLINE void chunk_session::check_number(std::uint64_t rows, std::uint64_t more) const {
    // Bytes bound the number of other rows.
    if (more > largest_offset - rows)
        throw mismatch_error({.file = place_->path(),
                              .field = "number of rows",
                              .expected = "less than 2^63",
                              .found = std::to_string(rows) + " and " + std::to_string(more) + " more"});
}

NDKEEP_INLINE array_view chunk_session::checked(const array_view& rows) {
    if (rows.shape().empty())
        throw mismatch_error({.file = place_->path(),
                              .field = "shape",
                              .expected = "at least 1 dimension",
                              .found = shape_text(rows.shape())});
    expect(rows.type(), {rows.shape().begin() + 1, rows.shape().end()});
    return rows.in_order(order::row_major);
}

NDKEEP_INLINE void chunk_session::hold(std::span<const std::byte> bytes, std::size_t rows) {
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    pending_rows_ += rows;
}

NDKEEP_INLINE void chunk_session::flush() {
    if (pending_rows_ != 0)
        stage_pending();
}

NDKEEP_INLINE void chunk_session::stage_pending() {
    // The rows are dropped only after the file is written: if the disk is full, a later commit can try again.
    auto entry = files_.put(state().rows, {pending_.data(), pending_.size()});
    pending_.clear();
    pending_rows_ = 0;
    transaction_.edit({.what = chunk_edit::kind::append, .first_row = state().rows, .added = {std::move(entry)}});
}

NDKEEP_INLINE void chunk_session::stage_chunks(std::span<const std::byte> bytes, std::size_t chunk_rows,
                                               std::size_t count, progress_meter& meter) {
    if (count == 0)
        return;
    const std::size_t chunk = bytes.size() / count;
    const std::uint64_t first = state().rows;
    std::vector<chunk_entry> entries(count);
    const run_options quiet = options_.run.without_progress();
    // In groups, because only the calling thread may call the progress function: it does so between them.
    const std::size_t turn = 4 * std::max({1U, std::thread::hardware_concurrency(), quiet.threads});
    for (std::size_t begin = 0; begin < count; begin += turn) {
        const std::size_t some = std::min(turn, count - begin);
        parallel_for(some, quiet, [&](std::size_t i) {
            entries[begin + i] =
                files_.put(first + (begin + i) * chunk_rows, bytes.subspan((begin + i) * chunk, chunk));
        });
        meter.add(some * chunk_rows, some * chunk);
        meter.report();
    }
    transaction_.edit({.what = chunk_edit::kind::append, .first_row = first, .added = std::move(entries)});
}

NDKEEP_INLINE void chunk_session::write_chunk(const chunk_entry& entry, std::uint64_t at, std::uint64_t first,
                                              std::span<const std::byte> part) {
    // Chunk files never change, as older commits name them: the chunk gets a new file.
    const buffer whole = files_.rows(at, at + entry.rows);
    std::copy(part.begin(), part.end(), whole.data() + (first - at) * state().row_bytes());
    transaction_.edit({.what = chunk_edit::kind::replace,
                       .first_row = at,
                       .removed = {entry},
                       .added = {files_.put(at, whole.bytes())}});
}

NDKEEP_INLINE void chunk_session::write_zeros(std::uint64_t first, std::span<const std::byte> part) {
    const std::uint64_t row_bytes = state().row_bytes();
    const std::uint64_t rows = part.size() / row_bytes;
    const std::uint64_t chunk_rows = rows_of_a_chunk();
    chunk_edit edit{.what = chunk_edit::kind::replace, .first_row = first};
    // Only the overwritten part of the zeros is removed: an entry without a file can be split anywhere.
    edit.removed.push_back({.rows = rows, .nbytes = part.size()});
    for (std::uint64_t done = 0; done < rows; done += chunk_rows) {
        const std::uint64_t some = std::min(chunk_rows, rows - done);
        edit.added.push_back(files_.put(first + done, part.subspan(static_cast<std::size_t>(done * row_bytes),
                                                                   static_cast<std::size_t>(some * row_bytes))));
    }
    transaction_.edit(std::move(edit));
}

}  // namespace detail

}  // namespace ndkeep
