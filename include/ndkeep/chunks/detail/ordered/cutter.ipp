// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/ordered/cutter.hpp>.
#pragma once

#include <ndkeep/chunks/detail/ordered/cutter.hpp>

#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void chunk_cutter::add(std::span<const std::byte> block, const row_codes& codes, std::size_t from,
                                     std::size_t to) {
    rows_ += to - from;
    // Rows that alternate come one by one, so this must be short.
    if (rule_.period == 0 && to - from < rule_.rows - held_rows_) {
        held_.insert(held_.end(), block.data() + from * row_bytes_, block.data() + to * row_bytes_);
        held_rows_ += to - from;
        return;
    }
    while (from < to) {
        std::size_t end = to;
        if (rule_.period != 0) {
            const auto period = rule_.period_at(codes.first[from]);
            if (!held_.empty() && period != held_period_)
                put();
            held_period_ = period;
            // Most blocks lie in one period: the last row tells.
            if (rule_.period_at(codes.first[to - 1]) != period)
                end = static_cast<std::size_t>(
                    std::partition_point(codes.first.begin() + static_cast<std::ptrdiff_t>(from),
                                         codes.first.begin() + static_cast<std::ptrdiff_t>(to),
                                         [&](key_code code) { return rule_.period_at(code) == period; }) -
                    codes.first.begin());
        }
        const std::size_t some = static_cast<std::size_t>(std::min<std::uint64_t>(end - from, rule_.rows - held_rows_));
        const auto rows = block.subspan(from * row_bytes_, some * row_bytes_);
        from += some;
        held_.insert(held_.end(), rows.begin(), rows.end());
        held_rows_ += some;
        if (held_rows_ == rule_.rows)
            put();
    }
}

NDKEEP_INLINE void chunk_cutter::put() {
    const std::uint64_t row = row_;
    row_ += std::exchange(held_rows_, 0);
    if (writers_ == 0) {
        made_.push_back(files_.put(row, held_));
        held_.clear();
        return;
    }
    if (being_written_.size() == writers_)
        take_written();
    else if (free_.empty())
        free_.emplace_back();
    auto& next = *being_written_.emplace_back(std::make_unique<coming_chunk>());
    next.rows = std::move(held_);
    next.work.emplace([this, row, &next] { next.entry = files_.put(row, next.rows); });
    held_ = std::move(free_.back());
    free_.pop_back();
}

NDKEEP_INLINE void chunk_cutter::take_written() {
    const auto done = std::move(being_written_.front());
    being_written_.pop_front();
    const run_options silent;
    progress_meter quiet(silent);
    done->work->finish(quiet);
    made_.push_back(std::move(done->entry));
    done->rows.clear();
    free_.push_back(std::move(done->rows));
}

NDKEEP_INLINE std::vector<chunk_entry> chunk_cutter::finish() {
    if (!held_.empty())
        put();
    while (!being_written_.empty())
        take_written();
    return std::move(made_);
}

}  // namespace ndkeep::detail
