// SPDX-License-Identifier: BSD-3-Clause
// Exact quantiles of the values of one segment, without sorting them.
#pragma once

#include <ndkeep/version.hpp>

#include <cstdint>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The quantile of the values: linear between the two nearest. Changes their order.
/// @param buckets  scratch
[[nodiscard]] double quantile_of(std::vector<double>& values, double at, std::vector<std::uint8_t>& buckets);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/segments/quantile.ipp>
#endif
