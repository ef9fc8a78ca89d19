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

/// Whether the first line has column names.
enum class csv_header {
    automatic,  ///< yes, if none of its cells is a value and a column below has values that are not text
    present,
    absent
};

struct csv_options {
    char delimiter = ',';
    char decimal = '.';  ///< the decimal point of floating-point and complex numbers; not of the seconds of dates
    csv_header header = csv_header::automatic;  ///< only for reading
};

/// Writes one line per row: a vector has one value per line, a matrix has one row per line. Structs have one column per
/// field, after a first line with the field names.
/// @param put  receives the text in pieces of some lines each
/// @throws ndkeep::mismatch_error  more than 2 dimensions, or structs in more than 1 dimension
void write_csv(const ndkeep::array_view& array, const std::filesystem::path& called,
               const std::function<void(std::string_view)>& put, const csv_options& options = {});

/// Parses CSV text. A single column gives a vector. For structs, a first line with the field names is accepted. A
/// missing value (an empty cell, "NA", "null", and others) is NaN or NaT; in text it is what is written.
///
/// Without a type, and with column names, the result is a vector of structs with one field per column. Each column has
/// the first of these dtypes that fits all its values: int64, uint64, bool ("True", "False"), datetime64 with the
/// finest unit written, float64, complex128, U. Without column names, all values together have one such dtype, but
/// not U. Integers and bool with missing values are float64 and text.
/// @throws ndkeep::format_error    rows differ in length, a value is not of this type, or the type is not given and an
///                                 integer would be rounded; the error names line and column
/// @throws ndkeep::mismatch_error  the type is not given, and the text columns need too much memory
[[nodiscard]] ndkeep::any_array read_csv(std::string_view text, const std::optional<ndkeep::dtype>& type,
                                         const std::filesystem::path& called, const csv_options& options = {});

}  // namespace tool
