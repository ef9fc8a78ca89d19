// SPDX-License-Identifier: BSD-3-Clause
// The rows of several chunked arrays in step, as bytes: mapped where they lie in one chunk, with the next chunk ahead.
#pragma once

#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/detail/in_step/participant.hpp>
#include <ndkeep/chunks/detail/in_step/plan.hpp>
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

  private:
    struct coming_chunk;

    [[nodiscard]] static mapping map(const core::chunk_version& version, std::size_t i, std::size_t alignment,
                                     bool verify);
    [[nodiscard]] const std::shared_ptr<const mapping>& chunk(std::size_t i);
    void begin_ahead(std::size_t i);

    const core::chunk_version* version_;
    conversion convert_;
    std::size_t alignment_;
    bool verify_;
    std::size_t index_ = 0;  // of `chunk_`
    std::shared_ptr<const mapping> chunk_;
    std::unique_ptr<coming_chunk> ahead_;
};

/// One pass over several arrays in step.
class step_reading {
  public:
    step_reading(std::vector<step_participant> of, const step_limits& limits, bool verify = false);

    [[nodiscard]] const step_plan& plan() const noexcept { return plan_; }
    [[nodiscard]] bool next() { return plan_.next(); }
    [[nodiscard]] std::size_t size() const noexcept { return of_.size(); }

    /// The rows of participant `i` in the current item.
    [[nodiscard]] mapping rows(std::size_t i);
    /// Their shape.
    [[nodiscard]] std::vector<std::size_t> shape(std::size_t i) const;

  private:
    std::vector<step_participant> of_;
    step_plan plan_;
    std::vector<chunk_window> windows_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/in_step/reading.ipp>
#endif
