// SPDX-License-Identifier: BSD-3-Clause
// Small chunks put together into larger ones, which changes no row.
#pragma once

#include <ndkeep/chunks/detail/files.hpp>
#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Notes merges as edits of a transaction.
class chunk_merger {
  public:
    /// @param chunk_rows  of a chunk that is as long as it should be
    chunk_merger(transaction& of, chunk_files& files, std::uint64_t chunk_rows)
        : transaction_(of), files_(files), chunk_rows_(chunk_rows) {}

    /// Every run of chunks that are too short.
    void compact(progress_meter& meter);

    /// Small chunks at the end become larger ones, eight at a time: each row is written again once for every power of
    /// eight that the chunk it ends up in is long.
    void merge_tail();

  private:
    /// Puts the rows of several chunks into one, or into as many as they fill.
    void merge(std::uint64_t first, const std::vector<chunk_entry>& entries, progress_meter& meter);

    [[nodiscard]] const chunk_state& state() const noexcept { return transaction_.work(); }

    transaction& transaction_;
    chunk_files& files_;
    std::uint64_t chunk_rows_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/merge.ipp>
#endif
