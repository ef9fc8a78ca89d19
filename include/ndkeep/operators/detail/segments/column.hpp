// SPDX-License-Identifier: BSD-3-Clause
// One field of the rows, and what its aggregates need of the values of one segment. Aggregates of a field share it.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/operators/detail/segments/lanes.hpp>
#include <ndkeep/operators/detail/segments/quantile.hpp>
#include <ndkeep/operators/detail/segments/reducer.hpp>
#include <ndkeep/operators/segment_rule.hpp>
#include <ndkeep/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Rows that are reduced together: their columns stay in the first cache.
inline constexpr std::size_t rows_at_once = 512;

/// What a column has found in one segment so far. Its bytes are stored in states.
struct column_state {
    std::uint64_t valid = 0, missing = 0;
    std::array<std::uint64_t, 2> low = {}, high = {};  // bytes of the least and the greatest value, if any is valid
    std::uint64_t total_low = 0;                       // of integers: the sum in 128 bits
    std::int64_t total_high = 0;
    std::array<std::uint64_t, 2> first = {}, last = {};  // bytes; of larger fields in `column_memory::bytes`
    std::uint64_t has_first = 0;
    std::uint64_t first_whole = 0;  // integers: the first value, from which distances are taken
    lane_sums sum;
    moments spread;
};

/// Parts of a state whose size differs.
struct column_memory {
    std::vector<double> values;       // for quantiles
    std::vector<std::uint8_t> bytes;  // first and last value, if they are longer than 16 bytes
    quantile_scratch scratch;         // not stored
};

/// The rows of the next block. They are fetched while a block is reduced: a few lines of the cache after each step, as
/// many as the memory delivers in that time.
class next_rows {
  public:
    next_rows() = default;
    next_rows(const std::byte* first, std::size_t bytes) : first_(first), bytes_(bytes) {}
    void fetch() noexcept {
        constexpr std::size_t line = 64, lines = 16;
        for (std::size_t i = 0; i < lines && bytes_ >= line; ++i, first_ += line, bytes_ -= line)
            __builtin_prefetch(first_);
    }

  private:
    const std::byte* first_ = nullptr;
    std::size_t bytes_ = 0;
};

/// A field, and what is needed of it.
struct segment_column {
    dtype type = {};
    std::size_t offset = 0;
    std::string field = {};
    nan_rule nan = nan_rule::skip;
    bool needs_first = false, needs_last = false, needs_extremes = false, needs_sum = false, needs_mean = false,
         needs_moments = false, needs_values = false, needs_count = false;
    /// Adds at most `rows_at_once` rows.
    void (*run)(const segment_column&, column_state&, column_memory&, const std::byte* at, std::ptrdiff_t step,
                std::size_t count, std::uint64_t row, next_rows& next) = nullptr;

    /// Makes it fit one more reducer of the field.
    void add(const reducer& of);
    /// Chooses `run`.
    void prepare();
    /// Writes the result of a reducer; false if it is null.
    bool write(const reducer& of, const column_state& state, column_memory& memory, std::byte* out) const;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/segments/column.ipp>
#include <ndkeep/operators/detail/segments/column_results.ipp>
#endif
