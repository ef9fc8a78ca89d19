// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/file.hpp>.
#pragma once

#include <ndkeep/chunks/detail/file.hpp>

#include <ndkeep/element/strided.hpp>
#include <ndkeep/format/header.hpp>

#include <algorithm>
#include <numeric>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE std::uint64_t chunk_size::rows(std::uint64_t row_bytes) const {
    if (rows_ != 0)
        return rows_;
    // Pages have up to 64 KiB. If the bytes of a chunk are a multiple of that, the next chunk begins on a page too, and
    // both can be mapped contiguously.
    constexpr std::uint64_t largest_page = std::uint64_t{64} << 10;
    const std::uint64_t step = largest_page / std::gcd(row_bytes, largest_page);
    const std::uint64_t wanted = bytes_ / row_bytes;
    return std::max<std::uint64_t>(1, wanted < step ? wanted : wanted / step * step);
}

namespace detail {

// The most common page size. Padding to larger pages would need headers that NumPy does not read.
inline constexpr std::uint64_t place_unit = 4096;

NDKEEP_INLINE std::uint64_t place_of(std::uint64_t row, std::uint64_t row_bytes) {
    // Both factors are reduced first: their product could overflow.
    return row % place_unit * (row_bytes % place_unit) % place_unit;
}

NDKEEP_INLINE std::string chunk_header(const chunk_state& state, std::uint64_t first_row, std::uint64_t rows) {
    const array_info info{.type = state.type, .shape = shape_of_rows(rows, state.row_shape)};
    const std::uint64_t row_bytes = state.row_bytes();
    if (rows * row_bytes < least_mapped_chunk)
        return header_bytes(info);
    constexpr std::uint64_t longest_for_numpy = 10'000;  // max_header_size of numpy.load
    // The array begins 4096 bytes into the address range (gathered_begin), so the place of the row alone decides.
    std::uint64_t length = place_unit + place_of(first_row, row_bytes);
    for (const std::uint64_t least = least_header_length(info); length < least;)
        length += place_unit;
    return length <= longest_for_numpy ? header_bytes(info, {.length = length}) : header_bytes(info);
}

NDKEEP_INLINE bool is_placed(const chunk_entry& entry) {
    return entry.nbytes >= least_mapped_chunk && entry.offset >= place_unit;
}

}  // namespace detail

}  // namespace ndkeep
