// SPDX-License-Identifier: BSD-3-Clause
// Small chunks put together into larger ones, which changes no row.
#pragma once

#include <ndkeep/chunks/detail/files.hpp>
#include <ndkeep/work/parallel.hpp>

namespace ndkeep::detail {

/// Notes merges as edits of a staging.
class chunk_merger {
  public:
    /// @param chunk_rows  of a chunk that is as long as it should be
    chunk_merger(staging& of, chunk_files& files, std::uint64_t chunk_rows)
        : staging_(of), files_(files), chunk_rows_(chunk_rows) {}

    /// Every run of chunks that are too short.
    void compact(progress_meter& meter) {
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
                if (run.empty())
                    run_begin = at;
                run.push_back(entry);
            }
            at += entry.rows;
        }
        close();
    }

    /// Small chunks at the end become larger ones, eight at a time: each row is written again once for every power of
    /// eight that the chunk it ends up in is long.
    void merge_tail() {
        constexpr std::uint64_t fan = 8;
        for (bool merged = staging_.has_edits(); merged;) {
            merged = false;
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
                    ended = entry.file.empty() || tier(entry.rows) > most || rows_in + entry.rows > chunk_rows_;
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
                // Of old rows, which are not what is committed here: they stay as they are, for verify to find.
                return;
            }
            merged = rows_in < chunk_rows_;
        }
    }

  private:
    /// Puts the rows of several chunks into one, or into as many as they fill.
    void merge(std::uint64_t first, const std::vector<chunk_entry>& entries, progress_meter& meter) {
        const std::uint64_t rows = rows_of(entries), last = first + rows;
        if (rows / chunk_rows_ + (rows % chunk_rows_ != 0) >= entries.size())
            return;  // nothing would be gained
        chunk_edit edit{.what = chunk_edit::kind::merge, .first_row = first, .removed = entries};
        for (std::uint64_t at = first, end = first; at < last; at = end) {
            end = at + std::min(chunk_rows_, last - at);
            edit.added.push_back(files_.put(at, files_.rows(at, end).bytes()));
            meter.add(end - at, edit.added.back().nbytes);
            meter.report();
        }
        staging_.edit(std::move(edit));
    }

    [[nodiscard]] const chunk_state& state() const noexcept { return staging_.work(); }

    staging& staging_;
    chunk_files& files_;
    std::uint64_t chunk_rows_;
};

}  // namespace ndkeep::detail
