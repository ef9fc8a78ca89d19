// SPDX-License-Identifier: BSD-3-Clause
// Cuts a stream of rows, in the order of their keys, into chunk files.
#pragma once

#include <ndkeep/chunks/detail/files.hpp>
#include <ndkeep/chunks/detail/ordered/codes.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/alongside.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Where chunks of ordered rows end.
struct cut_rule {
    std::uint64_t rows = std::numeric_limits<std::uint64_t>::max();  // of a full chunk
    std::int64_t period = 0;                                         // of the keys; 0: chunks end by `rows` only
    char form = '\0';                                                // of the keys: see `number_form`

    [[nodiscard]] std::int64_t period_at(key_code code) const {
        return period == 0 ? 0 : period_of(code, form, period);
    }
};

/// Collects rows, and writes a chunk file whenever a chunk is complete: in other threads, so that the next chunk is
/// collected meanwhile. It holds a chunk, and one for each of these threads.
class chunk_cutter {
  public:
    /// @param first_row  the row of the array at which the rows begin
    /// @param threads    that are used, this one included
    chunk_cutter(chunk_files& files, std::uint64_t row_bytes, const cut_rule& rule, std::uint64_t first_row,
                 unsigned threads)
        : files_(files), row_bytes_(static_cast<std::size_t>(row_bytes)), rule_(rule), row_(first_row),
          writers_(threads > 0 ? threads - 1 : 0) {}

    /// Adds rows `from` to `to` of a block, whose codes are given.
    void add(std::span<const std::byte> block, const row_codes& codes, std::size_t from, std::size_t to);

    /// The number of rows that can be added before a chunk is complete; 0 if the keys have periods, which rows must be
    /// asked for.
    [[nodiscard]] std::uint64_t room() const noexcept { return rule_.period == 0 ? rule_.rows - held_rows_ - 1 : 0; }

    /// Adds rows that `write` stores at a pointer. It returns their number.
    /// @param most  at most `room()`
    template <class Write>
    void add_written(std::size_t most, Write&& write) {
        const std::size_t before = held_.size();
        held_.resize(before + most * row_bytes_);
        const std::size_t count = write(held_.data() + before);
        held_.resize(before + count * row_bytes_);
        held_rows_ += count;
        rows_ += count;
    }

    /// Writes what is left, and returns the chunks.
    [[nodiscard]] std::vector<chunk_entry> finish();

    /// The number of rows added.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }

  private:
    /// Writes the collected rows, in another thread if there is one.
    void put();

    /// Waits for the oldest chunk that is being written, and takes its memory.
    void take_written();

    using bytes = std::vector<std::byte>;
    /// A chunk that is being written.
    struct coming_chunk {
        bytes rows = {};
        chunk_entry entry = {};
        std::optional<alongside> work = std::nullopt;  // last: its thread uses the members above
    };

    chunk_files& files_;
    std::size_t row_bytes_;
    cut_rule rule_;
    std::uint64_t row_, rows_ = 0;
    unsigned writers_;  // other threads
    bytes held_;        // rows of the chunk that is not complete
    std::uint64_t held_rows_ = 0;
    std::int64_t held_period_ = 0;
    std::vector<bytes> free_;                                  // memory of written chunks
    std::deque<std::unique_ptr<coming_chunk>> being_written_;  // the oldest first
    std::vector<chunk_entry> made_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/ordered/cutter.ipp>
#endif
