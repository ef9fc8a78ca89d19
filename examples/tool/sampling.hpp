// SPDX-License-Identifier: BSD-3-Clause
// A line or a plane of an array on as many cells as a screen has.
#pragma once

#include "elements.hpp"
#include "stored_array.hpp"

#include <string>
#include <vector>

namespace tool {

/// The numbers behind each cell; NaN where there are none.
struct sampled_grid {
    std::size_t rows = 0, columns = 0;    ///< of cells
    std::vector<double> low, mean, high;  ///< row by row
    std::uint64_t missing = 0;            ///< NaN or NaT among what was looked at
    bool is_sampled = false;              ///< some elements were looked at, for all of them are many

    [[nodiscard]] double at(std::size_t row, std::size_t column) const { return mean[row * columns + column]; }
};

/// What is drawn of an array: one or two of its axes, the last ones where there are more.
struct drawn_part {
    std::vector<axis_slice> slices;  ///< the others are indexes
    std::vector<std::size_t> axes;   ///< which are drawn: rows and columns, or columns only
    leaf part;                       ///< of each element

    [[nodiscard]] bool is_line() const noexcept { return axes.size() == 1; }
    /// Elements along the first or second of `axes`.
    [[nodiscard]] std::uint64_t extent(std::size_t i) const { return slices[axes[i]].count; }
};

/// @param field  the leaf of a struct; empty where there is none
/// @throws ndkeep::mismatch_error  no axis is left, or there are no numbers
[[nodiscard]] drawn_part part_to_draw(const stored_array& array, std::vector<axis_slice> slices,
                                      const std::string& field);

/// Reads all elements if they are few, else a handful for each cell.
/// @param rows, columns  of cells; no more than there are elements
[[nodiscard]] sampled_grid sample(const stored_array& array, const drawn_part& what, std::size_t rows,
                                  std::size_t columns);

/// The least and largest of them; infinities and NaN left out. {0, 0} of none.
[[nodiscard]] std::pair<double, double> range_of(const std::vector<double>& numbers);

}  // namespace tool
