// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/segmenter.hpp>: the loop over rows. Options and states are in
// segmenter_plan.ipp.
#pragma once

#include <ndkeep/operators/detail/segments/segmenter.hpp>

#include <ndkeep/bytes/float_environment.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/operators/detail/row_memory.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Empty bins, or snapshots without rows, between two rows. One false date must not fill the memory.
inline constexpr std::uint64_t most_empty = std::uint64_t{1} << 24;

NDKEEP_INLINE void segmenter::begin_call() {
    if (position().is_finished != 0)
        throw mismatched({}, "segments", "under way", "finished", "make a new object for other rows");
    done_.clear();
    taken_.clear();
    next_ = {};
}

[[nodiscard]] NDKEEP_INLINE any_array array_of_bytes(const dtype& type, const std::vector<std::byte>& bytes) {
    any_array all(type, {bytes.size() / static_cast<std::size_t>(type.size())});
    std::copy(bytes.begin(), bytes.end(), all.bytes().begin());
    return all;
}

NDKEEP_INLINE any_array segmenter::end_call() {
    if (plan_.snapshots)
        snapshots_ = array_of_bytes(type_, taken_);
    return array_of_bytes(type_, done_);
}

NDKEEP_INLINE any_array segmenter::push(const array_view& rows) {
    const default_arithmetic to_nearest;
    if (rows.type() != plan_.row)
        throw mismatched({}, "dtype of the rows", plan_.row.descr(), rows.type().descr());
    const auto memory = memory_of(rows, "rows");
    begin_call();
    // Rows in descending order, and single fields of large rows, are not fetched ahead.
    const bool is_dense = memory.step == static_cast<std::ptrdiff_t>(plan_.row.size());
    const std::size_t row_bytes = is_dense ? static_cast<std::size_t>(memory.step) : 0;
    for (std::size_t at = 0; at < memory.count;) {
        const std::size_t some = std::min(memory.count - at, rows_at_once);
        next_ = {memory.at(at + some), std::min(memory.count - at - some, rows_at_once) * row_bytes};
        add_block(memory.at(at), memory.step, some);
        at += some;
    }
    next_ = {};
    return end_call();
}

NDKEEP_INLINE void segmenter::read_keys(const std::byte* first, std::ptrdiff_t step, std::size_t count) {
    keys_.resize(rows_at_once);
    auto& at = position();
    const std::int64_t least = at.has_key != 0 ? at.last_key : codes_.least(), greatest = codes_.greatest();
    if (!codes_.read(first, step, count, least, keys_.data())) {
        std::int64_t before = least;
        std::size_t i = 0;
        for (; keys_[i] >= before && keys_[i] <= greatest; ++i)
            before = keys_[i];
        const bool is_key = keys_[i] >= codes_.least() && keys_[i] <= greatest;
        throw mismatched({}, "key " + ndkeep::quoted(plan_.on.name) + " of row " + std::to_string(at.rows + i),
                         i == 0 && at.has_key == 0 ? "a key" : "not below " + codes_.text_of(before),
                         codes_.text_of(keys_[i]), is_key ? "sort the rows by it" : "");
    }
    at.last_key = keys_[count - 1];
    at.has_key = 1;
}

NDKEEP_INLINE void segmenter::ask_predicate(const std::byte* first, std::ptrdiff_t step, std::size_t count) {
    begins_.resize(rows_at_once);
    const auto row = [&](std::size_t i) { return first + static_cast<std::ptrdiff_t>(i) * step; };
    for (std::size_t i = 0; i < count; ++i) {
        const auto* const before = i == 0 ? reinterpret_cast<const std::byte*>(before_.data()) : row(i - 1);
        begins_[i] = position().rows + i == 0 || plan_.every.begins(before, row(i)) ? 1 : 0;
    }
    std::memcpy(before_.data(), row(count - 1), before_.size());
    padding_.clear(reinterpret_cast<std::byte*>(before_.data()), 1);
}

NDKEEP_INLINE void segmenter::add_block(const std::byte* first, std::ptrdiff_t step, std::size_t count) {
    auto& at = position();
    if (is_keyed())
        read_keys(first, step, count);
    if (plan_.every.kind == rule_kind::predicate)
        ask_predicate(first, step, count);
    for (std::size_t i = 0; i < count;) {
        if (is_keyed()) {
            if (plan_.snapshots && at.has_point == 0)
                move_to(keys_[i]);
            settle(keys_[i]);
        }
        if (is_grid()) {
            if (at.is_open == 0) {
                const auto found = bins_.of(keys_[i]);
                if (!found)
                    throw mismatched({}, "key " + ndkeep::quoted(plan_.on.name) + " of row " + std::to_string(at.rows),
                                     "in a bin of " + bins_.text(), codes_.text_of(keys_[i]));
                open_bin(keys_[i], *found);
            }
        } else if (at.is_open == 0 ||
                   (plan_.every.kind == rule_kind::rows ? at.segment_rows == plan_.every.rows : begins_[i] != 0)) {
            if (at.is_open != 0)
                close();
            at.is_open = 1;
            at.label = is_keyed() ? codes_.bits_of(keys_[i]) : at.rows;
        }
        const std::size_t end = run_end(i, count);
        add_rows(first + static_cast<std::ptrdiff_t>(i) * step, step, end - i);
        i = end;
    }
}

NDKEEP_INLINE std::size_t segmenter::run_end(std::size_t from, std::size_t count) const {
    const auto& at = positions_[0];
    std::size_t end = count;
    if (plan_.every.kind == rule_kind::rows)
        end =
            from + static_cast<std::size_t>(std::min<std::uint64_t>(count - from, plan_.every.rows - at.segment_rows));
    if (plan_.every.kind == rule_kind::predicate)
        for (std::size_t i = from + 1; i < end; ++i)
            if (begins_[i] != 0)
                end = i;
    if (!bin_ && !point_)
        return end;
    std::int64_t most = bin_ ? bin_->most : point_->most;
    if (point_)
        most = std::min(most, point_->most);
    if (keys_[end - 1] <= most)
        return end;
    // In growing steps first: bins may have few rows.
    std::size_t low = from, step = 1;
    while (low + step < end && keys_[low + step] <= most) {
        low += step;
        step *= 2;
    }
    const auto begin = keys_.begin();
    return static_cast<std::size_t>(std::upper_bound(begin + static_cast<std::ptrdiff_t>(low),
                                                     begin + static_cast<std::ptrdiff_t>(std::min(low + step, end)),
                                                     most) -
                                    begin);
}

NDKEEP_INLINE void segmenter::add_rows(const std::byte* first, std::ptrdiff_t step, std::size_t count) {
    auto& at = position();
    for (std::size_t i = 0; i < columns_.size(); ++i)
        columns_[i].run(columns_[i], states_[i], memories_[i], first + columns_[i].offset, step, count, at.rows, next_);
    for (std::size_t i = 0; i < plan_.reducers.size(); ++i)
        if (const reducer& each = plan_.reducers[i]; each.own != nullptr)
            each.own->run(reinterpret_cast<std::byte*>(own_.data()) + own_at_[i], first + each.offset, step, count);
    at.rows += count;
    at.segment_rows += count;
}

NDKEEP_INLINE void segmenter::open_bin(std::int64_t key, const bin& opened) {
    if (!opened.left)
        throw mismatched({}, "left edge of the bin of " + codes_.text_of(key), "within 64 bits", "outside");
    bin_ = opened;
    auto& at = position();
    at.opened = key;
    at.is_open = 1;
    at.label = *opened.left;
}

NDKEEP_INLINE void segmenter::settle(std::int64_t key) {
    auto& at = position();
    for (std::uint64_t empty = 0; bin_ && bin_->most < key; ++empty) {
        const bin ended = *bin_;
        take_points(ended.most);
        close();
        // The bin of the key itself is opened when a row comes.
        const auto next = plan_.empty_bins ? bins_.after(ended) : std::nullopt;
        if (!next || next->most >= key)
            break;
        if (empty == most_empty)
            throw mismatched({}, "empty bins before key " + codes_.text_of(key) + " of row " + std::to_string(at.rows),
                             "at most " + std::to_string(most_empty), "more", "set .output = {.empty_bins = false}");
        open_bin(ended.most + 1, *next);
    }
    if (point_ && point_->most < key)
        take_points(key - 1);
}

NDKEEP_INLINE void segmenter::close() {
    auto& at = position();
    if (at.segment_rows != 0 || plan_.empty_bins)
        write(done_, at.label);
    reset();
    at.is_open = 0;
    bin_.reset();
}

NDKEEP_INLINE void segmenter::move_to(std::int64_t key) {
    point_ = points_.of(key);
    position().point = key;
    position().has_point = 1;
}

NDKEEP_INLINE void segmenter::take_points(std::int64_t last) {
    for (std::uint64_t taken = 0; point_ && point_->most <= last; ++taken) {
        if (position().segment_rows == 0 && !plan_.empty_bins) {
            move_to(last + 1);
            return;
        }
        if (taken == most_empty)
            throw mismatched({}, "snapshots before key " + codes_.text_of(last),
                             "at most " + std::to_string(most_empty), "more", "set .output = {.empty_bins = false}");
        take_point();
    }
}

NDKEEP_INLINE void segmenter::take_point() {
    const bin ended = *point_;
    if (!ended.right)
        throw mismatched({}, "snapshot after key " + codes_.text_of(position().last_key), "within 64 bits", "outside");
    write(taken_, *ended.right);
    point_ = points_.after(ended);
    position().point = ended.most + 1;
}

NDKEEP_INLINE void segmenter::reset() {
    auto& at = position();
    at.segment_rows = 0;
    for (auto& each : states_)
        each = {};
    for (auto& each : memories_) {
        each.values.clear();
        std::fill(each.bytes.begin(), each.bytes.end(), std::uint8_t{0});
    }
    for (std::size_t i = 0; i < plan_.reducers.size(); ++i)
        if (const auto& own = plan_.reducers[i].own; own != nullptr && !own->initial.empty())
            std::memcpy(own_.data() + own_at_[i], own->initial.data(), own->initial.size());
}

NDKEEP_INLINE void segmenter::write(std::vector<std::byte>& to, std::uint64_t label) {
    const std::size_t before = to.size();
    to.resize(before + static_cast<std::size_t>(type_.size()));
    std::byte* const row = to.data() + before;
    std::memcpy(row, &label, sizeof label);
    for (std::size_t i = 0; i < plan_.reducers.size(); ++i) {
        const reducer& each = plan_.reducers[i];
        std::byte* const out = row + type_.fields()[i + 1].offset;
        next_.fetch();
        if (each.kind == reduction::rows) {
            const auto count = static_cast<std::int64_t>(position().segment_rows);
            std::memcpy(out, &count, sizeof count);
        } else if (each.own != nullptr) {
            each.own->finish(reinterpret_cast<const std::byte*>(own_.data()) + own_at_[i], out);
        } else if (const std::size_t c = column_of_[i]; !columns_[c].write(each, states_[c], memories_[c], out)) {
            std::copy(nulls_[i].begin(), nulls_[i].end(), out);
        }
    }
}

NDKEEP_INLINE any_array segmenter::current() {
    const default_arithmetic to_nearest;
    std::vector<std::byte> row;
    if (position().is_open != 0)
        write(row, position().label);
    return array_of_bytes(type_, row);
}

NDKEEP_INLINE any_array segmenter::advance(const key_bound& to) {
    const default_arithmetic to_nearest;
    begin_call();
    if (!is_keyed())
        throw mismatched({}, "keys", "a member of the rows", "none", "set .on");
    auto& at = position();
    const std::int64_t key = codes_.code_from(to);
    if (at.has_key != 0 && key < at.last_key)
        throw mismatched({}, "key to advance to", "not below " + codes_.text_of(at.last_key), codes_.text_of(key));
    if (at.rows != 0) {
        settle(key);
        if (const auto next = is_grid() && at.is_open == 0 ? bins_.of(key) : std::nullopt)
            open_bin(key, *next);
    }
    at.last_key = key;
    at.has_key = 1;
    return end_call();
}

NDKEEP_INLINE any_array segmenter::finish(const std::optional<key_bound>& until) {
    const default_arithmetic to_nearest;
    std::vector<std::byte> taken;
    std::vector<std::byte> done;
    if (until) {
        (void)advance(*until);
        done.swap(done_);
        taken.swap(taken_);
    }
    begin_call();
    done_.swap(done);
    taken_.swap(taken);
    auto& at = position();
    if (at.segment_rows != 0) {
        const bool is_after = bin_ && point_ && point_->most > bin_->most;
        if (point_ && !is_after)
            take_point();
        close();
        if (is_after)
            take_point();
    }
    at.is_finished = 1;
    return end_call();
}

}  // namespace ndkeep::detail
