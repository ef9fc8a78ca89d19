// SPDX-License-Identifier: BSD-3-Clause
// Draws sampled grids as image files.
#pragma once

#include "picture.hpp"
#include "sampling.hpp"

#include <string>

namespace tool {

/// Labels around a picture. They may contain any characters: they are escaped.
struct chart_labels {
    std::string title = {};
    std::string low = {}, high = {};    ///< least and greatest number of the scale
    std::string first = {}, last = {};  ///< first and last index of the horizontal axis
};

/// A heat map of the cell means. Each cell is a square of `scale` pixels; NaN is transparent.
[[nodiscard]] picture map_picture(const sampled_grid& grid, double low, double high, std::size_t scale);
/// A line plot with one pixel column per cell: the range from low to high, and the mean in a darker colour.
[[nodiscard]] picture line_picture(const sampled_grid& grid, double low, double high, std::size_t height);

/// An SVG image of a heat map with its labels.
[[nodiscard]] std::string map_svg(const picture& map, const chart_labels& labels);
/// An SVG image of a line plot with its labels.
[[nodiscard]] std::string line_svg(const sampled_grid& grid, double low, double high, std::size_t width,
                                   std::size_t height, const chart_labels& labels);

}  // namespace tool
