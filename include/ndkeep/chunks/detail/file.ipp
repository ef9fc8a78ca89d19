// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/file.hpp>.
#pragma once

#include <ndkeep/chunks/detail/file.hpp>

#include <ndkeep/element/strided.hpp>
#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/time_unit.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

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

NDKEEP_INLINE std::int64_t chunk_size::period(const dtype& keys, const std::filesystem::path& called) const {
    if (unit_seconds_ == 0)
        return period_;
    const auto refuse = [&](std::string expected, std::string found) {
        return detail::mismatched(called, "chunk_period", std::move(expected), std::move(found));
    };
    const auto* const unit = keys.is_time() ? core::find_unit(keys.unit()) : nullptr;
    if (unit == nullptr)
        throw refuse("a number, because the keys are no dates", "a duration");
    // Months and years have no fixed length in finer units. Their average is not what a calendar shows.
    constexpr std::intmax_t month = 2'629'746;
    const bool by_months = unit->seconds >= month;
    if ((unit_by_ == 1 && unit_seconds_ % month == 0) != by_months)
        throw refuse("a multiple of the keys' unit, " + keys.descr(), "years or months, whose length varies");
    using core::wide_count;
    const wide_count number = wide_count(period_) * unit_seconds_ * unit->per_second,
                     by = wide_count(unit_by_) * unit->seconds * keys.multiple();
    if (number % by != 0 || number / by > std::numeric_limits<std::int64_t>::max())
        throw refuse("a multiple of the keys' unit, " + keys.descr(), std::to_string(period_) + " * " +
                                                                          std::to_string(unit_seconds_) + '/' +
                                                                          std::to_string(unit_by_) + " s");
    return static_cast<std::int64_t>(number / by);
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
