// SPDX-License-Identifier: BSD-3-Clause
// What one pass over an array tells: the library's statistics, zeros, infinities and a histogram for each leaf.
#pragma once

#include "elements.hpp"
#include "histogram.hpp"
#include "stored_array.hpp"

#include <ndkeep/statistics/summary.hpp>
#include <ndkeep/work/progress.hpp>

#include <vector>

namespace tool {

/// Of the values of one leaf.
struct leaf_summary {
    std::uint64_t zeros = 0, infinite = 0;
    growing_histogram histogram;  ///< of real numbers and counts of time
};

struct array_summary {
    ndkeep::dtype type;
    std::vector<leaf> leaves;
    ndkeep::statistics values;            ///< of all; of a struct, field by field
    std::vector<leaf_summary> summaries;  ///< one for each leaf

    /// The statistics of each leaf.
    [[nodiscard]] std::vector<ndkeep::statistics> by_leaf() const;
};

/// Reads the data once, in several threads where it lies in a file or in memory. Holds some blocks of it at a time.
/// The result does not depend on the number of threads.
[[nodiscard]] array_summary summary_of(const stored_array& array, const ndkeep::run_options& run);

}  // namespace tool
