// SPDX-License-Identifier: BSD-3-Clause
// The order in which several chunked arrays are read in step: the key at which each item ends, and its rows.
#pragma once

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/key.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A cut through all participants: the rows with keys below one key.
struct step_cut {
    std::optional<statistics::number> key = {};  // nullopt: above all keys
    std::vector<std::uint64_t> rows = {};        // below the key, of each participant
};

/// What is read in step, as `in_step_options` has it.
struct step_limits {
    std::optional<key_bound> from = {}, to = {};
    std::vector<std::uint64_t> warm_up = {};
    bool live = false;
    std::optional<step_cut> after = {};  // the rows below it were read before
};

/// The rows of one participant in one item.
struct step_part {
    std::uint64_t first = 0, last = 0;
    std::uint64_t warm_up = 0;  // of them, at the begin
};

/// @throws mismatch_error  a version has no order, or another one than the first version, or keys of another kind
void check_in_step(const std::vector<const core::chunk_version*>& of);

/// @throws mismatch_error  a participant has another number of rows below the key of the cut
void check_unchanged(const std::vector<const core::chunk_version*>& of, const step_cut& cut);

/// Plans the items one after the other. Items end where a chunk of a participant begins, if all keys before that row
/// are less than its own. It reads no rows, only single keys.
class step_plan {
  public:
    /// @param of  have passed `check_in_step`; must outlive the plan
    /// @throws mismatch_error  a bound does not fit the keys, or `.warm_up` has another length than `of`
    step_plan(std::vector<const core::chunk_version*> of, const step_limits& limits);

    /// Plans the next item. False at the end.
    [[nodiscard]] bool next();

    /// The number of rows in the range, with those that `.after` leaves out.
    [[nodiscard]] std::uint64_t total_rows() const;

    // Of the current item:
    [[nodiscard]] const step_part& part(std::size_t i) const { return parts_[i]; }
    [[nodiscard]] std::uint64_t index() const noexcept { return items_ - 1; }
    [[nodiscard]] bool is_last() const;
    /// The least key of its rows without the warm-up.
    [[nodiscard]] const statistics::number& from() const noexcept { return low_; }

    /// Where the rows of participant `i` end that the plan comes to.
    [[nodiscard]] std::uint64_t end_row(std::size_t i) const { return ends_[i]; }

    /// The cut behind the current item, or before the first one; nullopt if there is neither an item nor a begin.
    [[nodiscard]] const std::optional<step_cut>& cut() const noexcept { return cut_; }

  private:
    /// Sets the range of the pass: `begins_` and `ends_`, and the cuts at both.
    void find_range(const step_limits& limits);

    [[nodiscard]] std::optional<statistics::number> key_from(const key_bound& bound) const;

    /// The key at which participant `i` ends the current item; nullopt if its rows end before.
    [[nodiscard]] std::optional<statistics::number> boundary(std::size_t i) const;

    std::vector<const core::chunk_version*> of_;
    std::vector<std::uint64_t> begins_, rows_, ends_;      // first row of the range; of the next item; end of the range
    std::vector<std::optional<statistics::number>> keys_;  // of `rows_`, as far as they are known
    std::vector<std::uint64_t> warm_up_;                   // rows that the next item shows before its own
    std::optional<statistics::number> end_;                // of the range, without it; nullopt: above all keys
    std::vector<step_part> parts_;
    statistics::number low_;
    std::uint64_t items_ = 0;
    std::optional<step_cut> cut_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/in_step/plan.ipp>
#endif
