// SPDX-License-Identifier: BSD-3-Clause
// Arrays as lines of text with commas, both ways.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>

#include <filesystem>
#include <functional>
#include <string_view>

namespace tool {

/// A line for each row: of a vector one value, of a matrix its row, of structs their fields, and then a first line with
/// their names.
/// @param put  takes some lines
/// @throws ndkeep::mismatch_error  more than 2 dimensions, or structs in more than 1
void write_csv(const ndkeep::array_view& array, const std::filesystem::path& called,
               const std::function<void(std::string_view)>& put);

/// The same back. One column is a vector. A struct may have a first line with the names of its fields.
/// @throws ndkeep::format_error  rows of different lengths, or what is not of that type; names line and column
[[nodiscard]] ndkeep::any_array read_csv(std::string_view text, const ndkeep::dtype& type,
                                         const std::filesystem::path& called);

}  // namespace tool
