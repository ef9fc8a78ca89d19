// SPDX-License-Identifier: BSD-3-Clause
// One chunk as an npy file: a header as long as its place in the array wants it, rows, and what is kept about them.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/store/state.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// How many rows a chunk has: a count, or as many as about so many bytes hold.
///
/// 16 MiB unless asked otherwise: of 256 MiB of doubles, chunks of 64 KiB took 2.7 s to save, of 1 MiB 0.16 s, of 16
/// MiB 0.07 s and of 64 MiB 0.05 s, while loading and passing over them is the same from 1 MiB on; and a writer holds
/// one.
class chunk_size {
  public:
    /// As many rows as 16 MiB hold.
    constexpr chunk_size() = default;
    /// @throws mismatch_error  none, or fewer
    constexpr chunk_size(std::integral auto rows)  // NOLINT: implicit
        : rows_(static_cast<std::uint64_t>(rows)) {
        if (rows <= 0)
            throw mismatch_error({.field = "rows_per_chunk", .expected = "at least 1", .found = std::to_string(rows)});
    }

    /// @param bytes  of one row
    [[nodiscard]] std::uint64_t rows(std::uint64_t row_bytes) const;

    friend constexpr chunk_size chunk_bytes(std::uint64_t bytes);

  private:
    std::uint64_t rows_ = 0;
    std::uint64_t bytes_ = std::uint64_t{16} << 20;
};

/// Chunks of about so many bytes.
[[nodiscard]] constexpr chunk_size chunk_bytes(std::uint64_t bytes) {
    chunk_size size;
    size.bytes_ = bytes;
    return size;
}

namespace detail {

/// Below that, copying a chunk costs no more than mapping it, and its header need not be longer than it is.
inline constexpr std::uint64_t least_mapped_chunk = std::uint64_t{16} << 10;

/// The shape of some rows.
[[nodiscard]] std::vector<std::size_t> shape_of_rows(std::uint64_t rows, const std::vector<std::size_t>& row_shape);

/// Where a row lies in the whole array, modulo the unit.
[[nodiscard]] std::uint64_t place_of(std::uint64_t row, std::uint64_t row_bytes);

/// The header of a chunk whose rows begin at `first_row`: so long that its data lies at the same place in a page as its
/// rows lie in the whole array, where that is worth it and NumPy still reads it.
[[nodiscard]] std::string chunk_header(const chunk_state& state, std::uint64_t first_row, std::uint64_t rows);

/// Whether a chunk's header is as long as it is for the sake of its place.
[[nodiscard]] bool is_placed(const chunk_entry& entry);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/file.ipp>
#endif
