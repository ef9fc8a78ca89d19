// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/ordered/cutter.hpp>.
#pragma once

#include <ndkeep/chunks/detail/ordered/cutter.hpp>

#include <algorithm>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void chunk_cutter::add(std::span<const std::byte> block, const row_codes& codes, std::size_t from,
                                     std::size_t to) {
    rows_ += to - from;
    while (from < to) {
        std::size_t end = to;
        if (rule_.period != 0) {
            const auto period = rule_.period_at(codes.first[from]);
            if (!held_.empty() && period != held_period_) {
                put(held_);
                held_.clear();
            }
            held_period_ = period;
            // Most blocks lie in one period: the last row tells.
            if (rule_.period_at(codes.first[to - 1]) != period)
                end = static_cast<std::size_t>(
                    std::partition_point(codes.first.begin() + static_cast<std::ptrdiff_t>(from),
                                         codes.first.begin() + static_cast<std::ptrdiff_t>(to),
                                         [&](key_code code) { return rule_.period_at(code) == period; }) -
                    codes.first.begin());
        }
        const std::uint64_t held = held_.size() / row_bytes_;
        const std::size_t some = static_cast<std::size_t>(std::min<std::uint64_t>(end - from, rule_.rows - held));
        const auto rows = block.subspan(from * row_bytes_, some * row_bytes_);
        from += some;
        // Whole chunks need no copy.
        if (held == 0 && some == rule_.rows) {
            put(rows);
            continue;
        }
        held_.insert(held_.end(), rows.begin(), rows.end());
        if (held + some == rule_.rows) {
            put(held_);
            held_.clear();
        }
    }
}

NDKEEP_INLINE void chunk_cutter::put(std::span<const std::byte> rows) {
    made_.push_back(files_.put(row_, rows));
    row_ += made_.back().rows;
}

NDKEEP_INLINE std::vector<chunk_entry> chunk_cutter::finish() {
    if (!held_.empty())
        put(held_);
    held_.clear();
    return std::move(made_);
}

}  // namespace ndkeep::detail
