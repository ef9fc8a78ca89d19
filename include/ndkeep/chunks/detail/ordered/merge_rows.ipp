// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/ordered/merge_rows.hpp>.
#pragma once

#include <ndkeep/chunks/detail/ordered/merge_rows.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/work/alongside.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The first index from `from` on at which `is_beyond` holds, which it does for all later ones. The cost grows with the
/// logarithm of the distance, so that rows that alternate cost as little as long runs.
template <class Test>
[[nodiscard]] std::size_t first_beyond(std::size_t from, std::size_t end, Test&& is_beyond) {
    std::size_t step = 1;
    while (from < end && !is_beyond(from)) {
        if (end - from > step && !is_beyond(from + step)) {
            from += step;
            step *= 2;
        } else {
            std::size_t low = from + 1, high = std::min(end, from + step);
            while (low < high) {
                const std::size_t middle = low + (high - low) / 2;
                if (is_beyond(middle))
                    high = middle;
                else
                    low = middle + 1;
            }
            return low;
        }
    }
    return from;
}

NDKEEP_INLINE void key_changes::merge(std::span<const std::byte> given, std::size_t rows, const compared_values* unique,
                                      progress_meter& meter) {
    if (rows == 0)
        return;
    row_codes codes;
    codes_of(state(), given, rows, codes);
    const std::uint64_t before = state().rows;
    std::vector<region> regions;
    {
        const auto chunks = placed(state());
        // Records keep the first field of the greatest key only. With a second one, and where equal rows are dropped, a
        // row whose key equals the greatest one of a chunk may belong into it.
        regions = regions_of(chunks, codes, unique != nullptr || !codes.second.empty());
        coalesce(regions, chunks, codes);
        for (auto& one : regions) {
            one.row = one.begin < chunks.size() ? chunks[one.begin].row : before;
            one.chunks = copied(chunks, one.begin, one.end);
        }
    }
    for (auto& one : regions) {
        // Edits of earlier regions have moved the rows of this one.
        const std::uint64_t row = one.row + (state().rows - before);
        chunk_cutter cutter(files_, state().row_bytes(), rule_, row, threads_);
        unique_rows to(unique, static_cast<std::size_t>(state().row_bytes()), cutter);
        const auto unchanged = merge_region(one, given, codes, to);
        replace(row, std::move(one.chunks), cutter.finish(),
                {codes.first[one.rows_begin], codes.first[one.rows_end - 1]}, unchanged);
        meter.add(0, (one.rows_end - one.rows_begin) * state().row_bytes());
        meter.report();
    }
}

NDKEEP_INLINE std::vector<chunk_entry> key_changes::copied(const std::vector<placed_chunk>& chunks, std::size_t begin,
                                                           std::size_t end) {
    std::vector<chunk_entry> out;
    for (std::size_t i = begin; i < end; ++i)
        out.push_back(*chunks[i].entry);
    return out;
}

NDKEEP_INLINE std::vector<key_changes::placed_chunk> key_changes::placed(const chunk_state& of) const {
    const char form = number_form(key_type(of));
    std::vector<placed_chunk> out;
    std::uint64_t row = 0;
    for (const auto& item : of.items)
        for (std::size_t i = 0; i < item.count(); ++i) {
            const auto& entry = item.at(i);
            placed_chunk made{&entry, row, 0, 0};
            // No writer makes them, and they have no name by which an edit could find them.
            if (entry.file.empty())
                throw format_error({.file = transaction_.where().path(),
                                    .field = "chunk at row " + std::to_string(row),
                                    .expected = "a file, because the rows are ordered",
                                    .found = "zeros without a file"});
            row += entry.rows;
            if (entry.min && entry.max) {
                made.low = code_of(*entry.min, form);
                made.high = code_of(*entry.max, form);
            } else {
                // An entry of another writer.
                read_rows all;
                read(of, entry, all);
                made.low = all.codes.first.front();
                made.high = all.codes.first.back();
            }
            out.push_back(made);
        }
    return out;
}

NDKEEP_INLINE std::vector<key_changes::region> key_changes::regions_of(const std::vector<placed_chunk>& chunks,
                                                                       const row_codes& given, bool closed) const {
    std::vector<region> out;
    bool is_open = false;  // the last region may be extended by what follows
    const auto add = [&](std::size_t begin, std::size_t end, std::size_t rows_begin, std::size_t rows_end) {
        if (is_open) {
            out.back().end = end;
            out.back().rows_end = rows_end;
        } else {
            out.push_back({begin, end, rows_begin, rows_end});
        }
        is_open = true;
    };
    bool reaches_on = false;  // the next chunk belongs to the region too
    std::size_t at = 0;
    // The first chunk that given rows can meet.
    const auto first = std::partition_point(
        chunks.begin(), chunks.end(), [&](const placed_chunk& chunk) { return chunk.high < given.first.front(); });
    for (auto i = static_cast<std::size_t>(first - chunks.begin());
         i < chunks.size() && (at < given.size() || reaches_on); ++i) {
        const auto& chunk = chunks[i];
        // Rows before the chunk, then rows that belong into it.
        const auto gap = std::max(at, given.first_from(chunk.low));
        const auto inside = std::max(gap, closed ? given.first_above(chunk.high) : given.first_from(chunk.high));
        if (gap > at)
            add(i, i, at, gap);
        if (inside > gap || reaches_on)
            add(i, i + 1, gap, inside);
        else
            is_open = false;
        at = inside;
        // Rows with one key can fill several chunks: a given one belongs behind all of them, or replaces one of them.
        reaches_on = closed && is_open && at > 0 && given.first[at - 1] == chunk.high && i + 1 < chunks.size() &&
                     chunks[i + 1].low == chunk.high;
    }
    if (at < given.size())
        add(chunks.size(), chunks.size(), at, given.size());
    return out;
}

NDKEEP_INLINE void key_changes::coalesce(std::vector<region>& regions, const std::vector<placed_chunk>& chunks,
                                         const row_codes& given) const {
    std::vector<region> out;
    for (auto& one : regions) {
        if (rule_.period != 0)
            coalesce_by_period(one, chunks, given);
        else
            coalesce_by_rows(one, chunks);
        // Two regions that have grown into one another are one.
        if (!out.empty() && (one.begin < out.back().end || (one.begin == out.back().end && one.begin != one.end &&
                                                            out.back().begin != out.back().end))) {
            out.back().end = std::max(out.back().end, one.end);
            out.back().rows_end = one.rows_end;
        } else {
            out.push_back(one);
        }
    }
    regions = std::move(out);
}

NDKEEP_INLINE void key_changes::coalesce_by_rows(region& one, const std::vector<placed_chunk>& chunks) const {
    // A chunk of less than 80 % of its full length is small.
    const auto is_small = [&](std::uint64_t rows) { return rows < rule_.rows - rule_.rows / 5; };
    std::uint64_t inside = one.rows_end - one.rows_begin;
    for (std::size_t i = one.begin; i < one.end; ++i)
        inside += chunks[i].entry->rows;
    const std::uint64_t rest = inside % rule_.rows;
    if (rest == 0 || !is_small(rest))
        return;
    std::uint64_t rows = rest, count = 1;
    std::size_t begin = one.begin, end = one.end;
    const auto take = [&](std::size_t i) {
        rows += chunks[i].entry->rows;
        ++count;
    };
    // A full chunk is enough: more would be written again for nothing.
    for (; begin > 0 && rows < rule_.rows && is_small(chunks[begin - 1].entry->rows); --begin)
        take(begin - 1);
    for (; end < chunks.size() && rows < rule_.rows && is_small(chunks[end].entry->rows); ++end)
        take(end);
    if (count > coalesce_above_ || (count > 1 && rows >= rule_.rows)) {
        one.begin = begin;
        one.end = end;
    }
}

NDKEEP_INLINE void key_changes::coalesce_by_period(region& one, const std::vector<placed_chunk>& chunks,
                                                   const row_codes& given) const {
    auto low = rule_.period_at(given.first[one.rows_begin]), high = rule_.period_at(given.first[one.rows_end - 1]);
    if (one.begin < one.end) {
        low = std::min(low, rule_.period_at(chunks[one.begin].low));
        high = std::max(high, rule_.period_at(chunks[one.end - 1].high));
    }
    std::uint64_t count = 1;
    std::size_t begin = one.begin, end = one.end;
    for (; begin > 0 && rule_.period_at(chunks[begin - 1].high) == low; --begin, ++count)
        low = rule_.period_at(chunks[begin - 1].low);
    for (; end < chunks.size() && rule_.period_at(chunks[end].low) == high; ++end, ++count)
        high = rule_.period_at(chunks[end].high);
    if (count > coalesce_above_) {
        one.begin = begin;
        one.end = end;
    }
}

NDKEEP_INLINE std::uint64_t key_changes::merge_region(const region& one, std::span<const std::byte> given,
                                                      const row_codes& codes, unique_rows& to) const {
    std::uint64_t unchanged = 0;
    std::size_t next = one.rows_begin;
    read_rows old;
    // The next chunk is read while this one is merged.
    struct coming_chunk {
        read_rows rows = {};
        std::optional<alongside> work = std::nullopt;  // last: its thread fills the rows
    };
    coming_chunk ahead;
    for (std::size_t i = 0; i < one.chunks.size(); ++i) {
        to.detach();
        if (ahead.work) {
            const run_options silent;
            progress_meter quiet(silent);
            ahead.work->finish(quiet);
            ahead.work.reset();
            std::swap(old, ahead.rows);
        } else {
            read(state(), one.chunks[i], old);
        }
        if (threads_ > 1 && i + 1 < one.chunks.size())
            ahead.work.emplace([this, &chunk = one.chunks[i + 1], &ahead] { read(state(), chunk, ahead.rows); });
        if (next == one.rows_begin)
            unchanged += old.codes.first_from(codes.first[next]);
        unique_rows::source present{old.bytes, &old.codes, 0, old.codes.size()};
        std::size_t& at = present.next;
        while (at < present.end) {
            unique_rows::source rows{given, &codes, next, one.rows_end};
            to.add_alternating(present, rows);
            next = rows.next;
            // Present rows go before given ones with an equal key.
            const auto end = next == one.rows_end ? present.end : first_beyond(at, present.end, [&](std::size_t k) {
                return codes.less(next, old.codes, k);
            });
            to.add(old.bytes, old.codes, at, end, false);
            at = end;
            if (at == present.end)
                break;
            const auto last =
                first_beyond(next, one.rows_end, [&](std::size_t k) { return !codes.less(k, old.codes, at); });
            to.add(given, codes, next, last, true);
            next = last;
        }
    }
    to.add(given, codes, next, one.rows_end, true);
    to.finish();  // while the last chunk is there, which it may refer to
    return unchanged;
}

NDKEEP_INLINE std::uint64_t key_changes::erase(const code_range& range) {
    const auto chunks = placed(state());
    const auto row_bytes = static_cast<std::size_t>(state().row_bytes());
    const auto meets = [&](const placed_chunk& chunk) { return chunk.low <= range.high && range.low <= chunk.high; };
    std::size_t begin = 0;
    while (begin < chunks.size() && !meets(chunks[begin]))
        ++begin;
    std::size_t end = begin;
    while (end < chunks.size() && meets(chunks[end]))
        ++end;
    if (begin == end)
        return 0;
    chunk_cutter cutter(files_, row_bytes, rule_, chunks[begin].row, threads_);
    std::uint64_t erased = 0;
    read_rows old;
    for (std::size_t i = begin; i < end; ++i) {
        erased += chunks[i].entry->rows;
        // Only chunks that keep some rows are read.
        if (range.low <= chunks[i].low && chunks[i].high <= range.high)
            continue;
        read(state(), *chunks[i].entry, old);
        const auto first = old.codes.first_from(range.low), last = old.codes.first_above(range.high);
        cutter.add(old.bytes, old.codes, 0, first);
        cutter.add(old.bytes, old.codes, last, old.codes.size());
    }
    erased -= cutter.rows();
    if (erased != 0)
        replace(chunks[begin].row, copied(chunks, begin, end), cutter.finish(), range, 0);
    return erased;
}

NDKEEP_INLINE void key_changes::replace(std::uint64_t row, std::vector<chunk_entry>&& removed,
                                        std::vector<chunk_entry>&& added, const code_range& keys,
                                        std::uint64_t unchanged) {
    chunk_edit edit{
        .what = chunk_edit::kind::by_key, .first_row = row, .removed = std::move(removed), .added = std::move(added)};
    edit.unchanged = unchanged;
    edit.low = keys.low;
    edit.high = keys.high;
    // The entries around it, as they are now: the chunk before may be one of an earlier edit.
    if (row > 0)
        edit.before = state().between(row - 1, row).second.front().file;
    const std::uint64_t behind = row + detail::rows_of(edit.removed);
    if (behind < state().rows)
        edit.after = state().between(behind, behind + 1).second.front().file;
    transaction_.edit(std::move(edit));
}

NDKEEP_INLINE void key_changes::read(const chunk_state& of, const chunk_entry& entry, read_rows& out) const {
    files_.read(of, entry, out.bytes);
    codes_of(of, out.bytes, static_cast<std::size_t>(entry.rows), out.codes);
}

}  // namespace ndkeep::detail
