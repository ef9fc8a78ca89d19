// SPDX-License-Identifier: BSD-3-Clause
// Samples a line or plane of an array on a grid that fits a screen.
#pragma once

#include "elements.hpp"
#include "picture.hpp"
#include "stored_array.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tool {

/// The least, mean and greatest number of each cell; NaN for a cell without numbers.
struct sampled_grid {
    std::size_t rows = 0, columns = 0;    ///< in cells
    std::vector<double> low, mean, high;  ///< in row-major order
    std::uint64_t missing = 0;            ///< NaN or NaT among the elements that were read
    bool is_sampled = false;              ///< only a part of the elements was read, because there are many
    std::vector<colour> colours = {};     ///< of the cells of a picture, whose numbers are brightness; else empty

    [[nodiscard]] double at(std::size_t row, std::size_t column) const { return mean[row * columns + column]; }
    /// The colour of a cell: that of the picture, or of its number between `lowest` and `highest`; nullopt for a gap.
    [[nodiscard]] std::optional<colour> colour_at(std::size_t row, std::size_t column, double lowest,
                                                  double highest) const;
};

/// The part of an array to draw: one or two axes; by default the last ones. A picture has channels behind them.
struct drawn_part {
    std::vector<axis_slice> slices;  ///< those of axes that are not drawn are indexes
    std::vector<std::size_t> axes;   ///< the drawn axes: rows and columns, or columns only
    leaf part;                       ///< which leaf of each element
    std::size_t channel_axis = 0;    ///< of a picture
    std::size_t channels = 0;        ///< red, green, blue and perhaps alpha; 0 if it is not a picture

    [[nodiscard]] bool is_line() const noexcept { return axes.size() == 1; }
    /// Number of elements along the first or second of `axes`.
    [[nodiscard]] std::uint64_t extent(std::size_t i) const { return slices[axes[i]].count; }
};

/// A selection of shape (…, h, w, 3) or (…, h, w, 4) is a picture if its numbers are uint8, uint16, or floating-point
/// numbers from 0 to 1.
/// @param field  path of the leaf of a struct; empty if the dtype is not a struct
/// @throws ndkeep::mismatch_error  no axis is left to draw, or the values are not numbers
[[nodiscard]] drawn_part part_to_draw(const stored_array& array, std::vector<axis_slice> slices,
                                      const std::string& field);

/// Reads all elements if they are few, else a few for each cell. In a picture, the numbers are brightness from 0 to
/// 255.
/// @param rows, columns  in cells; at most the number of elements along the axis
[[nodiscard]] sampled_grid sample(const stored_array& array, const drawn_part& what, std::size_t rows,
                                  std::size_t columns);

/// The least and greatest finite number; {0, 0} if there is none.
[[nodiscard]] std::pair<double, double> range_of(const std::vector<double>& numbers);

}  // namespace tool
