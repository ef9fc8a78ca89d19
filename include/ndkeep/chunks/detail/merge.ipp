// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/merge.hpp>.
#pragma once

#include <ndkeep/chunks/detail/merge.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/store/edit.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void chunk_merger::compact(progress_meter& meter) {
    const auto entries = state().entries();
    std::uint64_t at = 0, run_begin = 0;
    std::vector<chunk_entry> run;
    const auto close = [&] {
        if (run.size() > 1)
            merge(run_begin, run, meter);
        run.clear();
    };
    for (const auto& entry : entries) {
        if (entry.file.empty() || entry.rows >= chunk_rows_) {
            close();
        } else {
            if (!run.empty() && !may_join(run.back(), entry))
                close();
            if (run.empty())
                run_begin = at;
            run.push_back(entry);
        }
        at += entry.rows;
    }
    close();
}

NDKEEP_INLINE void chunk_merger::merge_tail() {
    constexpr std::uint64_t fan = 8;
    // Without an edit there is nothing to commit, and a merge alone must not cause a commit.
    for (bool merged = transaction_.has_edits(); merged;) {
        merged = false;
        // The logarithm of the number of rows to base 8, rounded down. A run ends at the first chunk of a higher tier:
        // merging large chunks with small ones would rewrite the large ones for every few small ones.
        const auto tier = [](std::uint64_t rows) {
            int power = 0;
            for (; rows >= fan; rows /= fan)
                ++power;
            return power;
        };
        std::vector<chunk_entry> run;
        const auto& items = state().items;
        const auto* const last = state().last_entry();
        if (last == nullptr || last->file.empty())
            return;
        const int most = tier(last->rows);
        std::uint64_t rows_in = 0;
        bool ended = false;
        for (std::size_t i = items.size(); i-- > 0 && !ended;)
            for (std::size_t j = items[i].count(); j-- > 0 && !ended;) {
                const auto& entry = items[i].at(j);
                ended = entry.file.empty() || tier(entry.rows) > most || rows_in + entry.rows > chunk_rows_ ||
                        (!run.empty() && !may_join(entry, run.back()));
                if (!ended) {
                    run.push_back(entry);
                    rows_in += entry.rows;
                }
            }
        if (run.size() < fan)
            return;
        std::reverse(run.begin(), run.end());
        const run_options silent;
        progress_meter quiet(silent);
        try {
            merge(state().rows - rows_in, run, quiet);
        } catch (const checksum_error&) {
            // The damage is in old rows, which this commit does not need to touch. They stay as they are, and verify
            // reports them; the new rows are committed all the same.
            return;
        } catch (const format_error&) {
            // The same. In a place without locks it is no damage: others have merged and pruned these files meanwhile.
            return;
        }
        // The merged chunk may be the last one of a run that can be merged in turn.
        merged = rows_in < chunk_rows_;
    }
}

NDKEEP_INLINE bool chunk_merger::may_join(const chunk_entry& a, const chunk_entry& b) const {
    if (rule_.period == 0)
        return true;
    return a.min && b.max &&
           rule_.period_at(code_of(*a.min, rule_.form)) == rule_.period_at(code_of(*b.max, rule_.form));
}

NDKEEP_INLINE void chunk_merger::merge(std::uint64_t first, const std::vector<chunk_entry>& entries,
                                       progress_meter& meter) {
    const std::uint64_t rows = rows_of(entries), last = first + rows;
    if (rows / chunk_rows_ + (rows % chunk_rows_ != 0) >= entries.size())
        return;  // the merge would not reduce the number of files
    chunk_edit edit{.what = chunk_edit::kind::merge, .first_row = first, .removed = entries};
    for (std::uint64_t at = first, end = first; at < last; at = end) {
        end = at + std::min(chunk_rows_, last - at);
        edit.added.push_back(files_.put(at, files_.rows(at, end).bytes()));
        meter.add(end - at, edit.added.back().nbytes);
        meter.report();
    }
    transaction_.edit(std::move(edit));
}

}  // namespace ndkeep::detail
