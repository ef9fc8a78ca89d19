// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/quantile.hpp>.
#pragma once

#include <ndkeep/operators/detail/segments/quantile.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/operators/detail/segments/lanes.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The values of a rank and of the next one. The last rank has the same value twice.
struct neighbours {
    double low, high;
};

[[nodiscard]] NDKEEP_INLINE neighbours select_slowly(double* values, std::size_t count, std::size_t rank) {
    std::nth_element(values, values + rank, values + count);
    const double low = values[rank];
    return {low, rank + 1 == count ? low : *std::min_element(values + rank + 1, values + count)};
}

/// Distributes the values over buckets by their size, and looks only into those of the two ranks.
[[nodiscard]] NDKEEP_INLINE neighbours select(double* values, std::size_t count, std::size_t rank,
                                              std::vector<std::uint8_t>& bucket_of) {
    constexpr std::size_t buckets = 256;
    double least = values[0], most = values[0];
    widen(least, most, values, count);
    const double scale = (buckets - 1) / (most - least);
    // Few values, equal ones, infinities.
    if (count < 64 || !is_finite(scale))
        return least == most ? neighbours{least, least} : select_slowly(values, count, rank);
    // Two counts in turn: neighbours are often in the same bucket, and an addition would wait for the one before it.
    std::array<std::uint32_t, buckets> even = {}, odd = {};
    bucket_of.resize(count);
    const auto bucket = [&](std::size_t i) {
        return bucket_of[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>((values[i] - least) * scale));
    };
    std::size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        ++even[bucket(i)];
        ++odd[bucket(i + 1)];
    }
    if (i < count)
        ++even[bucket(i)];
    std::size_t first = 0, before = 0, size = 0;
    for (;; ++first, before += size)
        if (size = std::size_t{even[first]} + odd[first]; before + size > rank)
            break;
    if (size > count / 2)
        return select_slowly(values, count, rank);
    // The next value may be the least one of the next bucket that is not empty.
    std::size_t second = first;
    if (rank + 1 == before + size && rank + 1 < count)
        for (++second; even[second] + odd[second] == 0;)
            ++second;
    double next = std::numeric_limits<double>::infinity();
    std::size_t kept = 0;
    for (i = 0; i < count; ++i) {
        if (bucket_of[i] == first)
            std::swap(values[kept++], values[i]);
        else if (bucket_of[i] == second)
            next = std::min(next, values[i]);
    }
    const auto found = select_slowly(values, size, rank - before);
    return {found.low, second == first ? found.high : next};
}

NDKEEP_INLINE double quantile_of(std::vector<double>& values, double at, std::vector<std::uint8_t>& buckets) {
    const double place = static_cast<double>(values.size() - 1) * at;
    const double floor = std::floor(place);
    const auto [a, b] = select(values.data(), values.size(), static_cast<std::size_t>(floor), buckets);
    return place == floor || a == b ? a : a + (b - a) * (place - floor);
}

}  // namespace ndkeep::detail
