// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/stored_array.hpp>: taking changes back, and moving them out of memory.
#pragma once

#include <ndkeep/database/detail/stored_array.hpp>

#include <ndkeep/error.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void stored_array::abort() {
    restore({.info = committed_info_, .runs = {}, .bytes = {}, .reach = committed_reach_});
}

NDKEEP_INLINE stored_array::saved stored_array::save() const {
    auto runs = stored_into(0, size_);
    runs.insert(runs.end(), spilled_.begin(), spilled_.end());
    // Held pages too: one that was changed back to what the file has does not look changed where bytes are compared.
    for (const auto& [first, held] : held_)
        runs.push_back({first, first + page_});
    saved state{.info = info_,
                .runs = joined(std::move(runs)),
                .bytes = {},
                .reach = reach_,
                .is_removed = is_removed,
                .metadata = metadata};
    std::uint64_t bytes = 0;
    for (const auto& run : state.runs)
        bytes += run.last - run.first;
    state.bytes.reserve(static_cast<std::size_t>(bytes));
    for (const auto& run : state.runs)
        state.bytes.insert(state.bytes.end(), pages_.data() + run.first, pages_.data() + run.last);
    return state;
}

NDKEEP_INLINE void stored_array::restore(const saved& state) {
    map_spilled_blocks_of_file();
    pages_.discard(0, mapped_);
    // The held images first: the saved pages may be newer.
    for (const auto& [first, held] : held_)
        std::memcpy(pages_.data() + first, held.bytes.data(), held.bytes.size());
    std::size_t at = 0;
    for (const auto& run : state.runs) {
        const auto length = static_cast<std::size_t>(run.last - run.first);
        std::memcpy(pages_.data() + run.first, state.bytes.data() + at, length);
        at += length;
    }
    // Spare bytes that were behind the data before the transaction are not its own.
    if (reach_ != state.reach)
        cut_tail(state.reach);
    tail_sum_ = 0;
    tail_sum_counts_ = reach_ == committed_reach_;
    is_removed = state.is_removed;
    // Assigned, because the user may hold a reference to it.
    if (metadata)
        *metadata = state.metadata.value_or(committed_metadata);
    set_shape(state.info);
}

NDKEEP_INLINE void stored_array::spill(const std::function<file()>& shadow) {
    // Blocks, because the system limits the number of mappings: a terabyte has half a million blocks of 2 MiB.
    constexpr std::uint64_t block = std::uint64_t{2} << 20;
    if (tails_ == tail_place::memory)
        return;
    std::vector<page_run> blocks;
    for (const auto& run : stored_into(0, size_))
        for (std::uint64_t first = run.first / block * block; first < run.last; first += block)
            if (blocks.empty() || blocks.back().first != first)
                blocks.push_back({first, std::min(first + block, page_end(size_, page_))});
    if (blocks.empty())
        return;
    if (!shadow_.is_open())
        shadow_ = shadow();
    if (shadow_.size() < mapped_)
        shadow_.resize(mapped_);
    for (const auto& each : blocks)
        shadow_.write(each.first, {pages_.data() + each.first, static_cast<std::size_t>(each.last - each.first)});
    for (const auto& each : blocks)
        pages_.place(shadow_, each.first, each.last - each.first);
    spilled_.insert(spilled_.end(), blocks.begin(), blocks.end());
    spilled_ = joined(std::move(spilled_));
}

NDKEEP_INLINE void stored_array::map_spilled_blocks_of_file() {
    for (const auto& each : spilled_)
        pages_.place(source_, each.first, each.last - each.first);
    spilled_.clear();
    shadow_ = {};
}

}  // namespace ndkeep::detail
