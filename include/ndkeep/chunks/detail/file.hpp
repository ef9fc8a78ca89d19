// SPDX-License-Identifier: BSD-3-Clause
// The npy file of one chunk: how many rows it has, and how long its header is.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/store/state.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The number of rows of a chunk: a count, or as many as fit into `chunk_bytes(…)`, by default 16 MiB.
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

    friend constexpr chunk_size chunk_bytes(std::uint64_t bytes);

  private:
    std::uint64_t rows_ = 0;  // 0: as many as fit into bytes_
    std::uint64_t bytes_ = std::uint64_t{16} << 20;
};

/// Chunks of about `bytes` bytes; a chunk has at least one row.
[[nodiscard]] constexpr chunk_size chunk_bytes(std::uint64_t bytes) {
    chunk_size size;
    size.bytes_ = bytes;
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
