// SPDX-License-Identifier: BSD-3-Clause
// One chunk as an npy file: a header as long as its place in the array wants it, rows, and what is kept about them.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/store/state.hpp>

#include <numeric>

namespace ndkeep {

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
    [[nodiscard]] std::uint64_t rows(std::uint64_t row_bytes) const {
        if (rows_ != 0)
            return rows_;
        // A multiple of 64 KiB lets chunks be mapped side by side also where pages are that large.
        constexpr std::uint64_t largest_page = std::uint64_t{64} << 10;
        const std::uint64_t step = largest_page / std::gcd(row_bytes, largest_page);
        const std::uint64_t wanted = bytes_ / row_bytes;
        return std::max<std::uint64_t>(1, wanted < step ? wanted : wanted / step * step);
    }

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
inline constexpr std::uint64_t place_unit = 4096;

/// The shape of some rows.
[[nodiscard]] inline std::vector<std::size_t> shape_of_rows(std::uint64_t rows,
                                                            const std::vector<std::size_t>& row_shape) {
    std::vector<std::size_t> shape = {static_cast<std::size_t>(rows)};
    shape.insert(shape.end(), row_shape.begin(), row_shape.end());
    return shape;
}

/// Where a row lies in the whole array, modulo the unit.
[[nodiscard]] inline std::uint64_t place_of(std::uint64_t row, std::uint64_t row_bytes) {
    return row % place_unit * (row_bytes % place_unit) % place_unit;
}

/// The header of a chunk whose rows begin at `first_row`: so long that its data lies at the same place in a page as its
/// rows lie in the whole array, where that is worth it and NumPy still reads it.
[[nodiscard]] inline std::string chunk_header(const chunk_state& state, std::uint64_t first_row, std::uint64_t rows) {
    const array_info info{.type = state.type, .shape = shape_of_rows(rows, state.row_shape)};
    const std::uint64_t row_bytes = state.row_bytes();
    if (rows * row_bytes < least_mapped_chunk)
        return header_bytes(info);
    constexpr std::uint64_t longest_for_numpy = 10'000;
    std::uint64_t length = place_unit + place_of(first_row, row_bytes);
    for (const std::uint64_t least = least_header_length(info); length < least;)
        length += place_unit;
    return length <= longest_for_numpy ? header_bytes(info, {.length = length}) : header_bytes(info);
}

/// Whether a chunk's header is as long as it is for the sake of its place.
[[nodiscard]] inline bool is_placed(const chunk_entry& entry) {
    return entry.nbytes >= least_mapped_chunk && entry.offset >= place_unit;
}

}  // namespace detail

}  // namespace ndkeep
