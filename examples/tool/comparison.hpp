// SPDX-License-Identifier: BSD-3-Clause
// Compares two arrays element by element and in blocks. Element order and byte order may differ.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// Tolerances: two values are equal if |a - b| <= atol + rtol * |b|, as in numpy.isclose, where b is the reference.
struct comparison_rules {
    double rtol = 0;
    double atol = 0;
    bool equal_nan = false;     ///< NaN equals NaN, and NaT equals NaT
    std::size_t most_told = 5;  ///< number of differing values to report, the first in row-major order
};

/// One differing value.
struct value_difference {
    std::uint64_t at = 0;   ///< row-major index of the element
    std::size_t field = 0;  ///< index into `array_comparison::fields`
    std::string a = {}, b = {};
};

/// The largest error, and the first element that has it.
struct largest_error {
    long double error = 0;
    std::uint64_t at = 0;
};

struct field_count {
    std::string name = {};
    std::uint64_t differing = 0;  ///< differing values; values of sub-arrays count one by one
};

struct array_comparison {
    bool compared = false;          ///< whether the values were compared
    std::uint64_t elements = 0;     ///< number of elements of each array
    std::uint64_t differing = 0;    ///< number of differing elements
    std::uint64_t nan_in_both = 0;  ///< values that are NaN in both arrays and therefore differ
    /// Largest errors of all finite numbers, also of those within the tolerance. The relative error skips values where
    /// b is 0.
    std::optional<largest_error> absolute = {}, relative = {};
    std::vector<field_count> fields = {};      ///< one per struct field; without a struct, one with an empty name
    std::vector<value_difference> first = {};  ///< the first differing values in row-major order
};

/// How two dtypes relate to each other.
struct dtype_comparison {
    bool equal = true;                      ///< equal except for byte order and struct layout
    bool has_note = false;                  ///< byte order or struct layout differs
    std::vector<std::string> missing = {};  ///< fields that are in only one dtype, or that cannot be compared
};
[[nodiscard]] dtype_comparison compare_dtypes(const ndkeep::dtype& a, const ndkeep::dtype& b);

/// Compares two arrays of the same shape. Numbers of any two dtypes are compared by value, text by characters, dates
/// and durations in any units, and struct fields by name. Durations of years or months have no exact length in others.
/// @throws ndkeep::io_error  interrupted by the user
[[nodiscard]] array_comparison compare_values(const ndkeep::array_view& a, const ndkeep::array_view& b,
                                              const comparison_rules& rules, const ndkeep::run_options& run,
                                              const std::filesystem::path& called);

/// Index of an element as text: "[4, 1]".
[[nodiscard]] std::vector<std::size_t> index_of(std::uint64_t at, const std::vector<std::size_t>& shape);
[[nodiscard]] std::string index_text(std::uint64_t at, const std::vector<std::size_t>& shape);

}  // namespace tool
