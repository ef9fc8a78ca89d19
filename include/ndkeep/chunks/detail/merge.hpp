// SPDX-License-Identifier: BSD-3-Clause
// Merging of small chunks into larger ones, which changes no row.
#pragma once

#include <ndkeep/chunks/detail/files.hpp>
#include <ndkeep/chunks/detail/ordered/cutter.hpp>
#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Merges chunks, and adds each merge as an edit to a transaction. If another writer has changed the chunks before the
/// commit, the commit drops the merge and retains its other edits.
class chunk_merger {
  public:
    chunk_merger(transaction& of, chunk_files& files, const cut_rule& rule)
        : transaction_(of), files_(files), rule_(rule), chunk_rows_(rule.rows) {}

    /// Merges every run of adjacent chunks that are not full. Chunks of zeros stay without files.
    void compact(progress_meter& meter);

    /// Merges small chunks at the end, eight or more at a time, so that many small appends do not leave as many files.
    /// A row is rewritten about once per power of eight up to the length of its final chunk.
    void merge_tail();

  private:
    /// Writes the rows of several chunks to as few chunks as can hold them.
    void merge(std::uint64_t first, const std::vector<chunk_entry>& entries, progress_meter& meter);

    /// Whether two adjacent chunks may become one: not across the end of a period.
    [[nodiscard]] bool may_join(const chunk_entry& a, const chunk_entry& b) const;

    [[nodiscard]] const chunk_state& state() const noexcept { return transaction_.work(); }

    transaction& transaction_;
    chunk_files& files_;
    cut_rule rule_;
    std::uint64_t chunk_rows_;  // of a full chunk
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/merge.ipp>
#endif
