// SPDX-License-Identifier: BSD-3-Clause
// Arrays as NumPy prints them, and structs as tables.
#pragma once

#include "elements.hpp"
#include "stored_array.hpp"

#include <string>
#include <vector>

namespace tool {

/// NumPy's print options, with its defaults.
struct print_style {
    int precision = 8;               ///< digits behind the point
    std::uint64_t threshold = 1000;  ///< elements; arrays of more are summarised
    std::uint64_t edge = 3;          ///< at least 1: items at each end of an axis that is summarised
    std::size_t width = 75;          ///< characters of a line
};

/// What the slices take of the array, each line ended. Reads only the elements that it shows.
/// @param field  a leaf of a struct to be shown instead of all; empty: all
[[nodiscard]] std::string array_text(const stored_array& array, const std::vector<axis_slice>& slices,
                                     const print_style& style, const std::string& field = {});

/// All values of what the slices take, as lists in lists.
[[nodiscard]] std::string array_json(const stored_array& array, const std::vector<axis_slice>& slices,
                                     const std::string& field = {});

/// The leaf of this path.
/// @throws ndkeep::mismatch_error  there is none
[[nodiscard]] leaf leaf_named(const stored_array& array, const std::string& path);

}  // namespace tool
