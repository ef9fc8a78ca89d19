// SPDX-License-Identifier: BSD-3-Clause
// The npy file of one chunk: how many rows it has, and how long its header is.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/store/state.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The number of rows of a chunk: a count, as many as fit into `chunk_bytes(…)`, by default 16 MiB, or those of a
/// `chunk_period(…)` of the keys.
///
/// Measured with 256 MiB of doubles: saving took 2.7 s in chunks of 64 KiB, 0.16 s in chunks of
/// 1 MiB, 0.07 s in chunks of 16 MiB, and 0.05 s in chunks of 64 MiB. Loading and looping take the same time from 1 MiB
/// on. Larger chunks cost memory: a writer holds one.
class chunk_size {
  public:
    /// As many rows as fit into 16 MiB.
    constexpr chunk_size() = default;
    /// This number of rows.
    /// @throws mismatch_error  less than 1 row
    constexpr chunk_size(std::integral auto rows)  // NOLINT: implicit
        : rows_(static_cast<std::uint64_t>(rows)) {
        if (rows <= 0)
            throw mismatch_error({.field = "rows_per_chunk", .expected = "at least 1", .found = std::to_string(rows)});
    }

    /// The number of rows of a full chunk, at least 1.
    /// @param row_bytes  bytes of one row, at least 1
    [[nodiscard]] std::uint64_t rows(std::uint64_t row_bytes) const;

    /// Whether chunks are cut where a period of the keys ends, and not by their number of rows.
    [[nodiscard]] constexpr bool is_period() const noexcept { return period_ != 0; }
    /// The length of a period, in units of the keys.
    /// @param keys    dtype of the keys
    /// @param called  the display path, for errors
    /// @throws mismatch_error  a duration that is not a multiple of this unit, or keys that are not dates
    [[nodiscard]] std::int64_t period(const dtype& keys, const std::filesystem::path& called) const;

    friend constexpr chunk_size chunk_bytes(std::uint64_t bytes);
    friend constexpr chunk_size chunk_period(std::integral auto length);
    template <class Rep, class Period>
    friend constexpr chunk_size chunk_period(const std::chrono::duration<Rep, Period>& length);

  private:
    std::uint64_t rows_ = 0;  // 0: as many as fit into bytes_
    std::uint64_t bytes_ = std::uint64_t{16} << 20;
    std::int64_t period_ = 0;                       // 0: none
    std::intmax_t unit_seconds_ = 0, unit_by_ = 1;  // of the period, in seconds: a fraction; 0: it is a plain number
};

/// Chunks of about `bytes` bytes; a chunk has at least one row.
[[nodiscard]] constexpr chunk_size chunk_bytes(std::uint64_t bytes) {
    chunk_size size;
    size.bytes_ = bytes;
    return size;
}

/// Chunks that end where a period of the keys ends: the keys of a chunk have the same quotient by `length`, rounded
/// down. For rows in an order; their keys are integers, dates or floating-point numbers.
/// @throws mismatch_error  less than 1
[[nodiscard]] constexpr chunk_size chunk_period(std::integral auto length) {
    chunk_size size(length);
    size.rows_ = 0;
    size.period_ = static_cast<std::int64_t>(length);
    return size;
}
/// The same for dates and durations: `chunk_period(std::chrono::hours(24))`. Periods are counted from 1970, or from 0.
template <class Rep, class Period>
[[nodiscard]] constexpr chunk_size chunk_period(const std::chrono::duration<Rep, Period>& length) {
    static_assert(std::is_integral_v<Rep>, "a period is a whole number of units: use std::chrono::duration_cast");
    chunk_size size = chunk_period(length.count());
    size.unit_seconds_ = Period::num;
    size.unit_by_ = Period::den;
    return size;
}

namespace detail {

/// Chunks with fewer bytes are read, not mapped. Copying so few bytes costs no more than mapping them, so such a chunk
/// also gets the short header of NumPy instead of one padded to a page.
inline constexpr std::uint64_t least_mapped_chunk = std::uint64_t{16} << 10;

/// The offset of a row in the complete array, in bytes, modulo 4096.
[[nodiscard]] std::uint64_t place_of(std::uint64_t row, std::uint64_t row_bytes);

/// The npy header of a chunk whose rows begin at `first_row`.
///
/// From 16 KiB of data on, the header is padded: the data then has the same offset modulo 4096 in the file as in the
/// complete array, so that `gather` can map it. A header that NumPy would reject as too long is not padded.
[[nodiscard]] std::string chunk_header(const chunk_state& state, std::uint64_t first_row, std::uint64_t rows);

/// Whether the header of a chunk was padded for its place in the array. The chunk must be written again if that place
/// changes modulo 4096.
[[nodiscard]] bool is_placed(const chunk_entry& entry);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/file.ipp>
#endif
