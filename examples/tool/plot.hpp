// SPDX-License-Identifier: BSD-3-Clause
// Draws sampled grids as text for a terminal.
#pragma once

#include "sampling.hpp"
#include "terminal.hpp"

#include <string>

namespace tool {

/// Capabilities of the terminal to draw with.
struct pen {
    bool blocks = false;       ///< non-ASCII block and braille characters
    bool colours = false;      ///< colour escape sequences
    bool true_colour = false;  ///< 24-bit colours; otherwise the palette of 256
};

/// The size of a cell in characters. The height is in half lines if the pen has blocks and colours, else in lines.
struct cell_size {
    std::size_t width = 1, height = 1;
};
/// A heat map of the cell means. NaN is a gap.
[[nodiscard]] std::string heat_map(const sampled_grid& grid, double low, double high, cell_size cell, const pen& with);
/// The colour scale of a heat map in one line, without the labels of its ends.
[[nodiscard]] std::string heat_scale(const pen& with);

/// Cells per line of text: 2 with half blocks, else 1.
[[nodiscard]] inline std::size_t cells_in_line(const pen& with) { return with.blocks && with.colours ? 2 : 1; }

/// Number of grid cells across a line plot that is this many characters wide.
[[nodiscard]] inline std::size_t cells_across(const pen& with, std::size_t width) {
    return with.blocks ? 2 * width : width;
}
/// A line plot of the means with the range from the least to the greatest number of each cell. NaN is a gap.
/// @param width, height  in characters
[[nodiscard]] std::vector<std::string> line_plot(const sampled_grid& grid, double low, double high, std::size_t width,
                                                 std::size_t height, const pen& with);

}  // namespace tool
