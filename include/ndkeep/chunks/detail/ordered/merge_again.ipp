// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/ordered/merge_rows.hpp>: changes that are made again on the commit of another writer.
#pragma once

#include <ndkeep/chunks/detail/ordered/merge_rows.hpp>

#include <ndkeep/error.hpp>

#include <algorithm>
#include <cstring>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE bool key_changes::same_rows(const chunk_state& a, const chunk_state& b, const code_range& range) const {
    /// The rows of a state within the range, chunk by chunk.
    struct cursor {
        const key_changes& of;
        const chunk_state& state;
        const code_range& range;
        std::vector<placed_chunk> chunks;
        std::size_t next = 0;
        read_rows block = {};
        std::span<const std::byte> rest = {};

        cursor(const key_changes& changes, const chunk_state& from, const code_range& keys)
            : of(changes), state(from), range(keys) {
            for (const auto& chunk : changes.placed(from))
                if (chunk.low <= keys.high && keys.low <= chunk.high)
                    chunks.push_back(chunk);
        }
        /// False at the end.
        bool fill() {
            while (rest.empty() && next < chunks.size()) {
                of.read(state, *chunks[next++].entry, block);
                const auto row_bytes = static_cast<std::size_t>(state.row_bytes());
                const auto first = block.codes.first_from(range.low), last = block.codes.first_above(range.high);
                rest = std::span<const std::byte>(block.bytes).subspan(first * row_bytes, (last - first) * row_bytes);
            }
            return !rest.empty();
        }
    };
    cursor left(*this, a, range), right(*this, b, range);
    const auto same_files = std::equal(left.chunks.begin(), left.chunks.end(), right.chunks.begin(), right.chunks.end(),
                                       [](const auto& x, const auto& y) { return x.entry->file == y.entry->file; });
    if (same_files)
        return true;
    for (;;) {
        const bool more = left.fill();
        if (more != right.fill())
            return false;
        if (!more)
            return true;
        const std::size_t some = std::min(left.rest.size(), right.rest.size());
        if (std::memcmp(left.rest.data(), right.rest.data(), some) != 0)
            return false;
        left.rest = left.rest.subspan(some);
        right.rest = right.rest.subspan(some);
    }
}

NDKEEP_INLINE void key_changes::make_again(const chunk_state& before, const chunk_edit& edit) {
    const code_range range{edit.low, edit.high};
    if (!same_rows(before, state(), range))
        throw conflict_error({.file = transaction_.where().path(),
                              .found = "another writer changed rows with keys in the same range; discard this "
                                       "transaction and try again"});
    const auto chunks = placed(state());
    const auto begin = static_cast<std::size_t>(
        std::partition_point(chunks.begin(), chunks.end(), [&](const auto& each) { return each.high < range.low; }) -
        chunks.begin());
    std::size_t end = begin;
    while (end < chunks.size() && chunks[end].low <= range.high)
        ++end;
    const std::uint64_t row = begin < chunks.size() ? chunks[begin].row : state().rows;
    chunk_cutter cutter(files_, state().row_bytes(), rule_, row, threads_);
    read_rows old;
    const auto add = [&](const chunk_state& of, const chunk_entry& entry, bool below, bool within, bool above) {
        read(of, entry, old);
        const auto first = old.codes.first_from(range.low), last = old.codes.first_above(range.high);
        const std::span<const std::byte> bytes = old.bytes;
        if (below)
            cutter.add(bytes, old.codes, 0, first);
        if (within)
            cutter.add(bytes, old.codes, first, last);
        if (above)
            cutter.add(bytes, old.codes, last, old.codes.size());
    };
    // The rows around the range as they are now.
    for (std::size_t i = begin; i < end; ++i)
        if (chunks[i].low < range.low)
            add(state(), *chunks[i].entry, true, false, false);
    // The rows in the range as the edit has made them: those of chunks that it left, before and behind its own.
    const std::uint64_t removed_end = edit.first_row + detail::rows_of(edit.removed);
    const auto former = placed(before);
    const auto add_former = [&](bool is_before) {
        for (const auto& each : former)
            if (each.low <= range.high && range.low <= each.high &&
                (is_before ? each.row < edit.first_row : each.row >= removed_end))
                add(before, *each.entry, false, true, false);
    };
    add_former(true);
    for (const auto& entry : edit.added)
        add(before, entry, false, true, false);
    add_former(false);
    for (std::size_t i = begin; i < end; ++i)
        if (chunks[i].high > range.high)
            add(state(), *chunks[i].entry, false, false, true);
    replace(row, copied(chunks, begin, end), cutter.finish(), range, 0);
}

}  // namespace ndkeep::detail
