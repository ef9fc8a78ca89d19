// SPDX-License-Identifier: BSD-3-Clause
// The rows of several chunked arrays in step, as bytes: mapped where they lie in one chunk, with the next chunk ahead.
#pragma once

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/detail/in_step/late.hpp>
#include <ndkeep/chunks/detail/in_step/participant.hpp>
#include <ndkeep/chunks/detail/in_step/plan.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads one participant from its begin to its end. It holds two chunks: the one of the newest rows, and the next one.
class chunk_window {
  public:
    /// @param verify  check the checksum of mapped chunks, even if the version does not
    chunk_window(const step_participant& of, bool verify);
    chunk_window(chunk_window&&) noexcept;
    chunk_window& operator=(chunk_window&&) noexcept;
    ~chunk_window();

    /// The rows `first` to `last`. If they lie in one chunk, the result refers to its mapping and keeps it; otherwise
    /// it is a copy.
    /// @param end  where the rows end that will be asked for: chunks from there on are not read ahead
    [[nodiscard]] mapping rows(std::uint64_t first, std::uint64_t last, std::uint64_t end);

    /// A copy of the rows of several ranges, which are in order.
    [[nodiscard]] mapping gathered(const std::vector<row_range>& ranges) const;

  private:
    struct coming_chunk;

    [[nodiscard]] static mapping map(const core::chunk_version& version, std::size_t i, std::size_t alignment,
                                     bool verify);
    [[nodiscard]] const std::shared_ptr<const mapping>& chunk(std::size_t i);
    /// Memory for converted rows.
    [[nodiscard]] mapping room_for(std::uint64_t rows) const;
    void begin_ahead(std::size_t i);

    const core::chunk_version* version_;
    conversion convert_;
    std::size_t alignment_;
    bool verify_;
    std::size_t index_ = 0;  // of `chunk_`
    std::shared_ptr<const mapping> chunk_;
    std::unique_ptr<coming_chunk> ahead_;
};

/// One pass over several arrays in step: late rows, if they are given aside, and then the rows of the range.
class step_reading {
  public:
    /// @throws mismatch_error  rows below the mark have changed, and `limits.late` does not accept it
    step_reading(std::vector<step_participant> of, const step_limits& limits, bool verify = false);

    [[nodiscard]] bool next();
    [[nodiscard]] std::size_t size() const noexcept { return of_.size(); }

    /// The number of rows that are still to be given.
    [[nodiscard]] std::uint64_t rows_left() const;
    /// How far the pass has come; nullopt if there is neither an item nor a begin.
    [[nodiscard]] std::optional<step_mark> mark() const;
    /// The mark where the pass began, until the rows below it have been given as they are now; and its versions, held
    /// open: see `late_changes`. A live array without rows holds back late rows too: then there are no versions.
    [[nodiscard]] const std::optional<step_mark>& given() const noexcept { return given_; }
    [[nodiscard]] const auto& given_versions() const noexcept { return given_versions_; }

    /// The cut behind the current item, or before the first one; nullopt if there is neither an item nor a begin.
    [[nodiscard]] const std::optional<step_cut>& cut() const noexcept {
        return late_ && !is_in_plan_ ? late_->cut() : plan_.cut();
    }
    /// Whether no item has had the warm-up yet.
    [[nodiscard]] bool is_before_warm_up() const noexcept { return !is_in_plan_; }

    // Of the current item:
    [[nodiscard]] step_place place() const;
    /// The rows of participant `i`.
    [[nodiscard]] mapping rows(std::size_t i);
    /// Their shape.
    [[nodiscard]] std::vector<std::size_t> shape(std::size_t i) const;
    /// Their number, with those of the warm-up.
    [[nodiscard]] std::uint64_t count(std::size_t i) const;
    [[nodiscard]] std::uint64_t warm_up(std::size_t i) const { return is_in_plan_ ? plan_.part(i).warm_up : 0; }

  private:
    /// Judges what has changed below the mark: sets `given_` and `late_`.
    [[nodiscard]] step_start start_at(const step_limits& limits, bool verify);

    std::vector<step_participant> of_;
    std::optional<step_mark> given_;
    std::vector<std::vector<std::shared_ptr<const core::chunk_version>>> given_versions_;
    std::optional<late_plan> late_;  // with late_rows::aside
    step_plan plan_;                 // after the members above, which its start sets
    bool is_in_plan_ = false;
    std::vector<chunk_window> windows_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/in_step/reading.ipp>
#endif
