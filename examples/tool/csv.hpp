// SPDX-License-Identifier: BSD-3-Clause
// Reads and writes arrays as CSV text.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

namespace tool {

/// Writes one line per row: a vector has one value per line, a matrix has one row per line. Structs have one column per
/// field, after a first line with the field names.
/// @param put  receives the text in pieces of some lines each
/// @throws ndkeep::mismatch_error  more than 2 dimensions, or structs in more than 1 dimension
void write_csv(const ndkeep::array_view& array, const std::filesystem::path& called,
               const std::function<void(std::string_view)>& put);

/// Parses CSV text. A single column gives a vector. For structs, a first line with the field names is accepted.
///
/// Without a type, all values decide on it together. It is the first of these that fits all: int64, uint64, bool
/// ("True", "False"), datetime64 with the finest unit written, float64, complex128.
/// @throws ndkeep::format_error  rows differ in length, a value is not of this type, or the type is not given and an
///         integer would be rounded; the error names line and column
[[nodiscard]] ndkeep::any_array read_csv(std::string_view text, const std::optional<ndkeep::dtype>& type,
                                         const std::filesystem::path& called);

}  // namespace tool
