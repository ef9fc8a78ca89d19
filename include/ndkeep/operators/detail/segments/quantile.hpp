// SPDX-License-Identifier: BSD-3-Clause
// Exact quantiles of the values of one segment, without sorting them.
#pragma once

#include <ndkeep/version.hpp>

#include <cstdint>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Memory that quantiles use. It is kept, because each segment needs it.
struct quantile_scratch {
    std::vector<std::uint8_t> buckets;
    std::vector<double> some;
};

/// The quantile of the values: linear between the two nearest.
[[nodiscard]] double quantile_of(const std::vector<double>& values, double at, quantile_scratch& scratch);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/segments/quantile.ipp>
#endif
