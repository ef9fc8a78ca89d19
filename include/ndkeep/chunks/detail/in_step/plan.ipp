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

NDKEEP_INLINE void check_unchanged(const std::vector<const core::chunk_version*>& of, const step_cut& cut) {
    if (cut.rows.size() != of.size())
        throw mismatch_error({.field = "watermark",
                              .expected = counted(of.size(), "array"),
                              .found = counted(cut.rows.size(), "array")});
    for (std::size_t i = 0; i < of.size(); ++i) {
        const std::uint64_t found = cut.key ? of[i]->first_row_from(*cut.key) : of[i]->state().rows;
        if (found != cut.rows[i])
            throw mismatch_error(
                {.file = of[i]->called(),
                 .field = "rows below the watermark" + (cut.key ? ' ' + core::number_text(*cut.key) : ""),
                 .expected = std::to_string(cut.rows[i]),
                 .found = std::to_string(found),
                 .hint = "rows came late, or were erased, after the rows there had been read"});
    }
}

NDKEEP_INLINE step_plan::step_plan(std::vector<const core::chunk_version*> of, const step_limits& limits)
    : of_(std::move(of)), keys_(of_.size()), parts_(of_.size()) {
    if (!limits.warm_up.empty() && limits.warm_up.size() != of_.size())
        throw mismatch_error({.field = "warm_up",
                              .expected = "one count for each of " + counted(of_.size(), "array"),
                              .found = counted(limits.warm_up.size(), "count")});
    find_range(limits);
    if (cut_)
        warm_up_ = limits.warm_up;
    warm_up_.resize(of_.size());
}

NDKEEP_INLINE void step_plan::find_range(const step_limits& limits) {
    std::optional<statistics::number> least, greatest;
    bool may_get_any_key = false;  // a live participant without rows
    for (const auto* const version : of_) {
        const std::size_t chunks = version->entries().size();
        may_get_any_key = may_get_any_key || (limits.live && chunks == 0);
        if (chunks == 0)
            continue;
        const auto last = version->last_key(chunks - 1);
        if (!least || less(last, *least))
            least = last;
        if (!greatest || less(*greatest, last))
            greatest = last;
    }
    if (limits.to)
        end_ = key_from(*limits.to);
    // Never beyond the rows that are present, or rows that are appended later would count as late.
    if (greatest)
        if (const auto last = limits.live ? least : next_above(*greatest); ends_before(last, end_))
            end_ = last;

    const auto rows_below = [this](const std::optional<statistics::number>& key) {
        std::vector<std::uint64_t> rows;
        for (const auto* const version : of_)
            rows.push_back(key ? version->first_row_from(*key) : version->state().rows);
        return rows;
    };
    begins_.resize(of_.size());
    if (limits.from) {
        const auto begin = key_from(*limits.from);
        begins_ = rows_below(begin);
        cut_ = {begin, begins_};
    }
    rows_ = begins_;
    if (limits.after && (!cut_ || ends_before(cut_->key, limits.after->key))) {
        rows_ = limits.after->rows;
        cut_ = limits.after;
    }
    ends_ = may_get_any_key ? rows_ : rows_below(end_);
    for (std::size_t i = 0; i < of_.size(); ++i)
        ends_[i] = std::max(ends_[i], rows_[i]);
}

NDKEEP_INLINE std::optional<statistics::number> step_plan::key_from(const key_bound& bound) const {
    const auto& first = *of_.front();
    const auto keys = key_type(first.state());
    return rounded_up(bound.in(keys, first.called()), number_form(keys));
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
    if (!low)
        return false;
    low_ = *low;
    std::optional<statistics::number> end;
    for (std::size_t i = 0; i < of_.size(); ++i)
        if (const auto key = boundary(i); key && (!end || less(*key, *end)))
            end = key;
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

NDKEEP_INLINE std::uint64_t step_plan::total_rows() const {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < of_.size(); ++i)
        total += ends_[i] - begins_[i];
    return total;
}

NDKEEP_INLINE bool step_plan::is_last() const { return rows_ == ends_; }

}  // namespace ndkeep::detail
