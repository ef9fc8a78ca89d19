// SPDX-License-Identifier: BSD-3-Clause
// Prints arrays as NumPy does, and structs as tables.
#pragma once

#include "elements.hpp"
#include "stored_array.hpp"

#include <string>
#include <vector>

namespace tool {

/// NumPy's print options with NumPy's defaults.
struct print_style {
    int precision = 8;               ///< digits after the decimal point
    std::uint64_t threshold = 1000;  ///< number of elements; larger arrays are summarised
    std::uint64_t edge = 3;          ///< items shown at each end of a summarised axis; at least 1
    std::size_t width = 75;          ///< characters per line
};

/// The selected elements as text, every line ended by a newline. Only the elements that are shown are read.
/// @param field  path of the only leaf of a struct to show; empty: all leaves
[[nodiscard]] std::string array_text(const stored_array& array, const std::vector<axis_slice>& slices,
                                     const print_style& style, const std::string& field = {});

/// All selected values as nested lists.
[[nodiscard]] std::string array_json(const stored_array& array, const std::vector<axis_slice>& slices,
                                     const std::string& field = {});

/// The leaf with this path.
/// @throws ndkeep::mismatch_error  no leaf has this path
[[nodiscard]] leaf leaf_named(const stored_array& array, const std::string& path);

}  // namespace tool
