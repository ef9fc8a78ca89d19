// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/quantile.hpp>.
#pragma once

#include <ndkeep/operators/detail/segments/quantile.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/operators/detail/segments/lanes.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The values of a rank and of the next one. The last rank has the same value twice.
struct neighbours {
    double low, high;
};

/// Changes the order of the values.
[[nodiscard]] NDKEEP_INLINE neighbours select_slowly(double* values, std::size_t count, std::size_t rank) {
    std::nth_element(values, values + rank, values + count);
    const double low = values[rank];
    return {low, rank + 1 == count ? low : *std::min_element(values + rank + 1, values + count)};
}

/// Calls `found(i)` for each byte i that has this value.
template <class Function>
void find_bytes(const std::uint8_t* bytes, std::size_t count, std::uint8_t value, const Function& found) {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101, low_bits = 0x7f * ones;
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, bytes + i, sizeof eight);
        eight ^= ones * value;
        // The top bit of each byte that is 0.
        std::uint64_t zeros = ~(((eight & low_bits) + low_bits) | eight | low_bits);
        for (; zeros != 0; zeros &= zeros - 1) {
            const auto place = static_cast<std::size_t>(std::countr_zero(zeros)) / 8;
            found(i + (std::endian::native == std::endian::little ? place : 7 - place));
        }
    }
    for (; i < count; ++i)
        if (bytes[i] == value)
            found(i);
}

/// Distributes the values over buckets by their size, and looks only into those of the two ranks.
[[nodiscard]] NDKEEP_INLINE neighbours select(const std::vector<double>& all, std::size_t rank,
                                              quantile_scratch& scratch) {
    constexpr std::size_t most_buckets = 256, turns = 4;
    const std::size_t count = all.size();
    const double* const values = all.data();
    double least = values[0], most = values[0];
    widen(least, most, values, count);
    if (least == most)
        return {least, least};
    const std::size_t buckets = count < 1024 ? 64 : most_buckets;
    const double range = most - least, scale = static_cast<double>(buckets - 1) / range;
    auto& some = scratch.some;
    // Few values, infinities.
    if (count < 64 || !is_finite(range) || !is_finite(scale)) {
        some.assign(all.begin(), all.end());
        return select_slowly(some.data(), count, rank);
    }
    scratch.buckets.resize(std::max(scratch.buckets.size(), count));
    std::uint8_t* const bucket_of = scratch.buckets.data();
    for (std::size_t i = 0; i < count; ++i)
        bucket_of[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>((values[i] - least) * scale));
    // Four counts in turn: neighbours are often in the same bucket, and an addition would wait for the one before it.
    std::array<std::uint32_t, turns * most_buckets> counts;
    std::fill_n(counts.begin(), turns * buckets, 0U);
    std::size_t i = 0;
    for (; i + turns <= count; i += turns)
        for (std::size_t turn = 0; turn < turns; ++turn)
            ++counts[bucket_of[i + turn] * turns + turn];
    for (; i < count; ++i)
        ++counts[bucket_of[i] * turns];
    const auto size_of = [&](std::size_t bucket) {
        const auto* const at = counts.data() + bucket * turns;
        return static_cast<std::size_t>(at[0]) + at[1] + at[2] + at[3];
    };
    std::size_t first = 0, before = 0, size = 0;
    for (;; ++first, before += size)
        if (size = size_of(first); before + size > rank)
            break;
    some.resize(size);
    std::size_t kept = 0;
    find_bytes(bucket_of, count, static_cast<std::uint8_t>(first), [&](std::size_t at) { some[kept++] = values[at]; });
    auto found = select_slowly(some.data(), size, rank - before);
    // The next value may be the least one of the next bucket that is not empty.
    if (rank + 1 == before + size && rank + 1 < count) {
        std::size_t second = first + 1;
        while (size_of(second) == 0)
            ++second;
        found.high = std::numeric_limits<double>::infinity();
        find_bytes(bucket_of, count, static_cast<std::uint8_t>(second),
                   [&](std::size_t at) { found.high = std::min(found.high, values[at]); });
    }
    return found;
}

NDKEEP_INLINE double quantile_of(const std::vector<double>& values, double at, quantile_scratch& scratch) {
    const double place = product_of(static_cast<double>(values.size() - 1), at);
    const double floor = std::floor(place);
    const auto [a, b] = select(values, static_cast<std::size_t>(floor), scratch);
    return place == floor || a == b ? a : a + product_of(b - a, place - floor);
}

}  // namespace ndkeep::detail
