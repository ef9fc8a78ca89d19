// SPDX-License-Identifier: BSD-3-Clause
// Summarises an array in one pass: the library's statistics, and zeros, infinities and a histogram of each leaf.
#pragma once

#include "elements.hpp"
#include "histogram.hpp"
#include "stored_array.hpp"

#include <ndkeep/statistics/running_statistics.hpp>
#include <ndkeep/work/progress.hpp>

#include <vector>

namespace tool {

/// Counts and histogram of one leaf.
struct leaf_summary {
    std::uint64_t zeros = 0, infinite = 0;
    growing_histogram histogram;  ///< real numbers and time counts only
};

struct array_summary {
    ndkeep::dtype type;
    std::vector<leaf> leaves;
    ndkeep::statistics values;            ///< of all values; for a struct, by field
    std::vector<leaf_summary> summaries;  ///< one per leaf

    /// The statistics of each leaf.
    [[nodiscard]] std::vector<ndkeep::statistics> by_leaf() const;
};

/// Reads the data once, with several threads if they can read independently. Holds only some blocks in memory. The
/// result does not depend on the number of threads.
[[nodiscard]] array_summary summary_of(const stored_array& array, const ndkeep::run_options& run);

}  // namespace tool
