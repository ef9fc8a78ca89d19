// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/in_step/plan.hpp>.
#pragma once

#include <ndkeep/chunks/detail/in_step/plan.hpp>

#include <ndkeep/chunks/detail/order.hpp>
#include <ndkeep/chunks/detail/ordered/key_numbers.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/store/state.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void check_in_step(const std::vector<const core::chunk_version*>& of) {
    for (const auto* const version : of) {
        const auto& first = of.front()->state();
        const auto& here = version->state();
        if (!here.order_by || here.order_by != first.order_by)
            throw mismatch_error({.file = version->called(),
                                  .field = "order_by",
                                  .expected = first.order_by ? order_text(first) : "a field that orders the rows",
                                  .found = order_text(here),
                                  .hint = "arrays in step are ordered by the same field"});
        const auto expected = key_type(first), found = key_type(here);
        // Units differ: a second is not 1 of an hour. Whole numbers and floating-point numbers have no common next key.
        const bool alike =
            expected.is_time() || found.is_time() ? expected == found : number_form(expected) == number_form(found);
        if (!alike)
            throw mismatch_error({.file = version->called(),
                                  .field = "dtype of the key",
                                  .expected = expected.descr(),
                                  .found = found.descr(),
                                  .hint = "keys in step have the same unit, or the same kind of number"});
    }
}

NDKEEP_INLINE std::uint64_t rows_below(const core::chunk_version& of, const std::optional<statistics::number>& key) {
    return key ? of.first_row_from(*key) : of.state().rows;
}

NDKEEP_INLINE step_cut cut_at(const std::vector<const core::chunk_version*>& of,
                              const std::optional<statistics::number>& key) {
    step_cut cut{key, {}};
    for (const auto* const version : of)
        cut.rows.push_back(rows_below(*version, key));
    return cut;
}

NDKEEP_INLINE std::string mark_text(const std::optional<statistics::number>& key) {
    return "watermark" + (key ? ' ' + core::number_text(*key) : "");
}

NDKEEP_INLINE void check_unchanged(const core::chunk_version& of, const std::optional<statistics::number>& key,
                                   std::uint64_t rows, std::string hint) {
    if (const std::uint64_t found = rows_below(of, key); found != rows)
        throw mismatch_error({.file = of.called(),
                              .field = "rows below the " + mark_text(key),
                              .expected = std::to_string(rows),
                              .found = std::to_string(found),
                              .hint = std::move(hint)});
}

NDKEEP_INLINE void check_count(const step_mark& mark, std::size_t participants) {
    const auto check = [participants](std::size_t found) {
        if (found != participants)
            throw mismatch_error(
                {.field = "watermark", .expected = counted(participants, "array"), .found = counted(found, "array")});
    };
    check(mark.rows.size());
    if (!mark.commits.empty())
        check(mark.commits.size());
    for (const auto& level : mark.late) {
        check(level.rows.size());
        check(level.commits.size());
    }
}

[[nodiscard]] NDKEEP_INLINE std::optional<statistics::number> key_from(const core::chunk_version& first,
                                                                       const key_bound& bound) {
    const auto keys = key_type(first.state());
    return rounded_up(bound.in(keys, first.called()), number_form(keys));
}

NDKEEP_INLINE step_range range_in_step(const std::vector<const core::chunk_version*>& of, const step_limits& limits) {
    step_range range;
    std::optional<statistics::number> least, greatest;
    for (const auto* const version : of) {
        const std::size_t chunks = version->entries().size();
        range.is_held = range.is_held || (limits.live && chunks == 0);
        if (chunks == 0)
            continue;
        const auto last = version->last_key(chunks - 1);
        if (!least || less(last, *least))
            least = last;
        if (!greatest || less(*greatest, last))
            greatest = last;
    }
    if (limits.to)
        range.limit = key_from(*of.front(), *limits.to);
    if (limits.live && ends_before(least, range.limit))
        range.limit = least;
    range.end = range.limit;
    // Never beyond the rows that are present, or rows that are appended later would count as late.
    if (greatest)
        if (const auto last = next_above(*greatest); ends_before(last, range.end))
            range.end = last;
    if (limits.from)
        range.begin = cut_at(of, key_from(*of.front(), *limits.from));
    return range;
}

NDKEEP_INLINE step_plan::step_plan(std::vector<const core::chunk_version*> of, const step_limits& limits,
                                   const step_start& start)
    : of_(std::move(of)), begins_(of_.size()), keys_(of_.size()), again_(start.again), parts_(of_.size()) {
    if (!limits.warm_up.empty() && limits.warm_up.size() != of_.size())
        throw mismatch_error({.field = "warm_up",
                              .expected = "one count for each of " + counted(of_.size(), "array"),
                              .found = counted(limits.warm_up.size(), "count")});
    const auto range = range_in_step(of_, limits);
    end_ = range.end;
    if (range.begin) {
        begins_ = range.begin->rows;
        cut_ = range.begin;
    }
    rows_ = begins_;
    if (start.after && (!cut_ || ends_before(cut_->key, start.after->key))) {
        rows_ = start.after->rows;
        cut_ = start.after;
    }
    ends_ = range.is_held ? rows_ : cut_at(of_, end_).rows;
    for (std::size_t i = 0; i < of_.size(); ++i)
        ends_[i] = std::max(ends_[i], rows_[i]);
    if (cut_)
        warm_up_ = limits.warm_up;
    warm_up_.resize(of_.size());
}

NDKEEP_INLINE bool step_plan::is_again() const { return again_ && cut_ && ends_before(cut_->key, again_->key); }

NDKEEP_INLINE void step_plan::end_again(std::optional<statistics::number>& end) const {
    if (!end || ends_before(again_->key, end)) {
        end = again_->key;
        return;
    }
    for (std::size_t i = 0; i < of_.size(); ++i)
        if (of_[i]->first_row_from(*end) < again_->rows[i])
            return;
    // The last item below the mark ends at the mark, although the rows up to it may have been erased.
    end = again_->key;
}

NDKEEP_INLINE bool step_plan::next() {
    std::optional<statistics::number> low;
    for (std::size_t i = 0; i < of_.size(); ++i) {
        if (rows_[i] == ends_[i])
            continue;
        if (!keys_[i])
            keys_[i] = of_[i]->key_of(rows_[i]);
        if (!low || less(*keys_[i], *low))
            low = keys_[i];
    }
    is_late_ = is_again();
    if (!low && !is_late_)
        return false;
    std::optional<statistics::number> end;
    if (low) {
        low_ = *low;
        for (std::size_t i = 0; i < of_.size(); ++i)
            if (const auto key = boundary(i); key && (!end || less(*key, *end)))
                end = key;
    }
    if (is_late_)
        end_again(end);
    from_ = is_late_ ? *cut_->key : low_;
    for (std::size_t i = 0; i < of_.size(); ++i) {
        const std::uint64_t first = rows_[i], warm_up = std::min(std::exchange(warm_up_[i], 0), first);
        // Within the range, also if another writer has left keys in disorder. The item has at least the row of its
        // least key, because `first_row_from` never finds less for a greater key.
        rows_[i] = end ? std::clamp(of_[i]->first_row_from(*end), first, ends_[i]) : ends_[i];
        parts_[i] = {first - warm_up, rows_[i], warm_up};
        if (rows_[i] != first)
            keys_[i].reset();
    }
    cut_ = {end ? end : end_, rows_};
    ++items_;
    return true;
}

NDKEEP_INLINE std::optional<statistics::number> step_plan::boundary(std::size_t i) const {
    const auto& version = *of_[i];
    const std::uint64_t row = rows_[i];
    if (row == ends_[i])
        return std::nullopt;
    const std::size_t chunk = version.chunk_of(row);
    // The first chunk of this array in the range ends no item, although others may begin before it.
    if (row != begins_[i] && less(low_, *keys_[i]) && row == version.first_row(chunk))
        return keys_[i];
    for (std::size_t next = chunk + 1; next < version.entries().size() && version.first_row(next) < ends_[i]; ++next) {
        const auto key = version.first_key(next);
        if (!less(low_, key))
            continue;
        if (less(version.last_key(next - 1), key))
            return key;
        // The rows before have the same key, so that the item goes on. If it comes to a third chunk, it ends before the
        // first of the equal keys instead: otherwise a key that repeats at every begin of a chunk would make one item
        // of all chunks.
        if (next - chunk > 1 && less(*keys_[i], key))
            return key;
    }
    return std::nullopt;
}

NDKEEP_INLINE std::uint64_t step_plan::rows_left() const {
    std::uint64_t left = 0;
    for (std::size_t i = 0; i < of_.size(); ++i)
        left += ends_[i] - rows_[i];
    return left;
}

NDKEEP_INLINE bool step_plan::is_last() const { return rows_ == ends_ && !is_again(); }

NDKEEP_INLINE step_place step_plan::place() const { return {from_, cut_->key, items_ - 1, is_last(), is_late_}; }

}  // namespace ndkeep::detail
