// SPDX-License-Identifier: BSD-3-Clause
// statistics_of: statistics of an array in memory or in a mapped file.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

namespace ndkeep::inline NDKEEP_ABI {

/// Computes minimum, maximum, mean, standard deviation and the number of NaN of an array, or of each field. Reads each
/// value from memory once, with several threads, as fast as memory delivers them. Arrays that are not contiguous, and
/// lazy expressions, are read block by block in the calling thread.
///
/// Values are summed as doubles, in an order that does not depend on the number of threads. The same values in another
/// layout, such as a view or a file, may be summed in another order, which can round the results differently.
///
/// @throws io_error  operation_canceled
[[nodiscard]] statistics statistics_of(const array_view& array, const run_options& run = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/statistics/statistics_of.ipp>
#endif
