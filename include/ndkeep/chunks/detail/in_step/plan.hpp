// SPDX-License-Identifier: BSD-3-Clause
// The order in which several chunked arrays are read in step: the key at which each item ends, and its rows.
#pragma once

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/key.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
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
    std::optional<step_mark> mark = {};  // the rows below it were given before
    late_rows late = late_rows::refuse;
};

/// The range of a pass in the present versions.
struct step_range {
    std::optional<step_cut> begin = {};          // nullopt: the first row
    std::optional<statistics::number> end = {};  // nullopt: above all keys
    // The same without regard to where the rows end, so that rows which were erased there are below it.
    std::optional<statistics::number> limit = {};
    bool is_held = false;  // a live participant without rows may get any key: nothing is given
};

/// Where a pass begins that does not begin at the begin of its range.
struct step_start {
    std::optional<step_cut> after = {};  // the rows below it are not given
    std::optional<step_cut> again = {};  // the rows from there to this cut are given again
};

/// Where an item lies, as `step` has it.
struct step_place {
    statistics::number from = {};
    std::optional<statistics::number> to = {};
    std::uint64_t index = 0;
    bool is_last = false;
    bool is_late = false;
};

/// The rows of one participant in one item.
struct step_part {
    std::uint64_t first = 0, last = 0;
    std::uint64_t warm_up = 0;  // of them, at the begin
};

/// @throws mismatch_error  a version has no order, or another one than the first version, or keys of another kind
void check_in_step(const std::vector<const core::chunk_version*>& of);

/// The rows below a key; nullopt is above all keys.
[[nodiscard]] std::uint64_t rows_below(const core::chunk_version& of, const std::optional<statistics::number>& key);
[[nodiscard]] step_cut cut_at(const std::vector<const core::chunk_version*>& of,
                              const std::optional<statistics::number>& key);

/// The name of a mark, and maybe of its key, for errors.
[[nodiscard]] std::string mark_text(const std::optional<statistics::number>& key);

/// @throws mismatch_error  the version has another number of rows below the key
void check_unchanged(const core::chunk_version& of, const std::optional<statistics::number>& key, std::uint64_t rows,
                     std::string hint);

/// @throws mismatch_error  the mark is of another number of participants
void check_count(const step_mark& mark, std::size_t participants);

/// @param of  have passed `check_in_step`
/// @throws mismatch_error  a bound does not fit the keys
[[nodiscard]] step_range range_in_step(const std::vector<const core::chunk_version*>& of, const step_limits& limits);

/// Plans the items one after the other. Items end where a chunk of a participant begins, if all keys before that row
/// are less than its own. It reads no rows, only single keys.
class step_plan {
  public:
    /// @param of  have passed `check_in_step`; must outlive the plan
    /// @throws mismatch_error  a bound does not fit the keys, or `.warm_up` has another length than `of`
    step_plan(std::vector<const core::chunk_version*> of, const step_limits& limits, const step_start& start = {});

    /// Plans the next item. False at the end.
    [[nodiscard]] bool next();

    /// The number of rows that are still to be given.
    [[nodiscard]] std::uint64_t rows_left() const;

    // Of the current item:
    [[nodiscard]] const step_part& part(std::size_t i) const { return parts_[i]; }
    /// The key from which on its rows are without the warm-up, the key at which it ends, and which item it is.
    [[nodiscard]] step_place place() const;
    [[nodiscard]] bool is_last() const;

    /// Where the rows of participant `i` end that the plan comes to.
    [[nodiscard]] std::uint64_t end_row(std::size_t i) const { return ends_[i]; }

    /// The cut behind the current item, or before the first one; nullopt if there is neither an item nor a begin.
    [[nodiscard]] const std::optional<step_cut>& cut() const noexcept { return cut_; }

  private:
    /// Whether rows are given again, and some are left.
    [[nodiscard]] bool is_again() const;

    /// Plans an item that gives rows again.
    /// @param end  where chunks end it; it becomes the end of the rows to give again if none of them are left behind it
    void end_again(std::optional<statistics::number>& end) const;

    /// The key at which participant `i` ends the current item; nullopt if its rows end before.
    [[nodiscard]] std::optional<statistics::number> boundary(std::size_t i) const;

    std::vector<const core::chunk_version*> of_;
    std::vector<std::uint64_t> begins_, rows_, ends_;      // first row of the range; of the next item; end of the range
    std::vector<std::optional<statistics::number>> keys_;  // of `rows_`, as far as they are known
    std::vector<std::uint64_t> warm_up_;                   // rows that the next item shows before its own
    std::optional<statistics::number> end_;                // of the range, without it; nullopt: above all keys
    std::optional<step_cut> again_;                        // rows are given again up to it
    std::vector<step_part> parts_;
    statistics::number low_, from_;
    bool is_late_ = false;
    std::uint64_t items_ = 0;
    std::optional<step_cut> cut_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/in_step/plan.ipp>
#endif
