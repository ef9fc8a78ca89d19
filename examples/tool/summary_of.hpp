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

/// The statistics of each line of elements along one axis. The lines are in row-major order of their other indexes: for
/// axis 0 of a table, they are its columns. Reads the data once.
/// @throws ndkeep::mismatch_error  more than 65,536 lines
[[nodiscard]] std::vector<ndkeep::statistics> statistics_along(const stored_array& array, std::size_t axis,
                                                               const ndkeep::run_options& run);

}  // namespace tool
