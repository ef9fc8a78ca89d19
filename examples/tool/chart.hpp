// SPDX-License-Identifier: BSD-3-Clause
// Grids as pictures in files.
#pragma once

#include "picture.hpp"
#include "sampling.hpp"

#include <string>

namespace tool {

/// What stands beside a picture. Texts may be anything.
struct chart_labels {
    std::string title = {};
    std::string low = {}, high = {};    ///< of the numbers
    std::string first = {}, last = {};  ///< of the axis from left to right
};

/// A map of the means: every cell `scale` pixels wide and high, NaN transparent.
[[nodiscard]] picture map_picture(const sampled_grid& grid, double low, double high, std::size_t scale);
/// One column of pixels for each cell: the range of its numbers, and its mean darker.
[[nodiscard]] picture line_picture(const sampled_grid& grid, double low, double high, std::size_t height);

/// The picture of a map with its labels, as SVG.
[[nodiscard]] std::string map_svg(const picture& map, const chart_labels& labels);
/// A line with its labels, as SVG.
[[nodiscard]] std::string line_svg(const sampled_grid& grid, double low, double high, std::size_t width,
                                   std::size_t height, const chart_labels& labels);

}  // namespace tool
