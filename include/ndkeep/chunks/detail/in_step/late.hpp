// SPDX-License-Identifier: BSD-3-Clause
// Late rows: those of the present versions below a mark that the versions of the mark do not have, and their items.
#pragma once

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/detail/in_step/plan.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// How the rows below a mark differ from those of the versions of the mark.
struct late_changes {
    std::vector<std::vector<row_range>> rows = {};  // of each participant, those that came, in order
    std::optional<statistics::number> least = {};   // the least key of a row that came or was erased
    // Those of the mark, first for each level and then for each participant, held open. nullptr: the present version.
    std::vector<std::vector<std::shared_ptr<const core::chunk_version>>> versions = {};
};

/// Finds the rows within a range that came below a mark. Rows of chunks that both versions have are not read. Rows with
/// equal keys may have changed places.
/// @param mark    has counts for each participant: see `check_count`. Commits that are pruned become those of the
///                present versions, if no change can be seen
/// @param late    `aside`: rows that were erased are an error
/// @param verify  check the checksums of the chunks that are read
/// @throws mismatch_error  a row was erased; or a version of the mark is pruned or newer than the present one, and the
///                         number of rows has changed
[[nodiscard]] late_changes find_late(const std::vector<const core::chunk_version*>& of, step_mark& mark,
                                     const step_range& within, late_rows late, bool verify);

/// Plans the items of late rows one after the other. Items end where a late row is the first one of its chunk, and
/// equal keys are not split.
class late_plan {
  public:
    /// @param rows  of each participant, below `end`
    late_plan(std::vector<const core::chunk_version*> of, std::vector<std::vector<row_range>> rows,
              const std::optional<statistics::number>& end);

    /// Plans the next item. False at the end.
    [[nodiscard]] bool next();

    [[nodiscard]] std::uint64_t rows_left() const;
    [[nodiscard]] std::uint64_t items() const noexcept { return items_; }

    // Of the current item:
    [[nodiscard]] const std::vector<row_range>& part(std::size_t i) const { return parts_[i]; }
    [[nodiscard]] step_place place() const;
    [[nodiscard]] bool is_last() const;

    /// The cut behind the current item; nullopt before the first one.
    [[nodiscard]] const std::optional<step_cut>& cut() const noexcept { return cut_; }

  private:
    /// The key at which participant `i` ends an item whose least key is `low`; nullopt if its rows end before.
    [[nodiscard]] std::optional<statistics::number> boundary(std::size_t i, const statistics::number& low) const;

    std::vector<const core::chunk_version*> of_;
    std::vector<std::vector<row_range>> rows_;
    std::vector<std::size_t> at_;  // of each participant, the range of the next row; its `first` is that row
    std::optional<statistics::number> end_;
    std::vector<std::vector<row_range>> parts_;
    statistics::number low_;
    std::uint64_t items_ = 0;
    std::optional<step_cut> cut_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/in_step/late.ipp>
#endif
