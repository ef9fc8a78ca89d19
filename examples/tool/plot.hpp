// SPDX-License-Identifier: BSD-3-Clause
// Grids drawn with characters.
#pragma once

#include "sampling.hpp"
#include "terminal.hpp"

#include <string>

namespace tool {

/// With what is drawn.
struct pen {
    bool blocks = false;       ///< characters beyond ASCII
    bool colours = false;      ///< escape sequences
    bool true_colour = false;  ///< of 24 bits, else 256 of them
};

/// Each cell so many characters wide and so many lines high; of half lines where a pen has blocks and colours.
struct cell_size {
    std::size_t width = 1, height = 1;
};
/// A map of the means. NaN is a gap.
[[nodiscard]] std::string heat_map(const sampled_grid& grid, double low, double high, cell_size cell, const pen& with);
/// The scale of a map in one line, without what it says of both ends.
[[nodiscard]] std::string heat_scale(const pen& with);

/// Half lines, where the pen has these.
[[nodiscard]] inline std::size_t cells_in_line(const pen& with) { return with.blocks && with.colours ? 2 : 1; }

/// Columns of cells that a line plot of so many characters has.
[[nodiscard]] inline std::size_t cells_across(const pen& with, std::size_t width) {
    return with.blocks ? 2 * width : width;
}
/// Means as a line, and what lies between the least and the largest of each cell. NaN is a gap.
/// @param width, height  in characters
[[nodiscard]] std::vector<std::string> line_plot(const sampled_grid& grid, double low, double high, std::size_t width,
                                                 std::size_t height, const pen& with);

}  // namespace tool
