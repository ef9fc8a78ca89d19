// SPDX-License-Identifier: BSD-3-Clause
// Statistics of an array that is there, in memory or mapped.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

namespace ndkeep::inline NDKEEP_ABI {

/// Least and greatest value, mean, standard deviation and the number of NaN: one look at each value, as fast as memory
/// gives them, by several threads. What lies in no one piece of memory, and lazy expressions, go block by block.
///
/// Sums are of doubles, in an order that does not depend on the number of threads. Other ways to the same values, as
/// through a view or a file, may round them otherwise.
[[nodiscard]] statistics statistics_of(const array_view& array, const run_options& run = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/statistics/statistics_of.ipp>
#endif
