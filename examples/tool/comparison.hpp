// SPDX-License-Identifier: BSD-3-Clause
// Two arrays compared element by element, block by block, whatever their order in memory and their byte order.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// When two values count as equal: |a - b| <= atol + rtol * |b|, as numpy.isclose has it. b is what is trusted.
struct comparison_rules {
    double rtol = 0;
    double atol = 0;
    bool equal_nan = false;     ///< NaN equals NaN, NaT equals NaT
    std::size_t most_told = 5;  ///< differing values that are kept, the first in row-major order
};

/// One value that differs.
struct value_difference {
    std::uint64_t at = 0;   ///< number of the element in row-major order
    std::size_t field = 0;  ///< place among `array_comparison::fields`
    std::string a = {}, b = {};
};

/// The largest of all errors, and where it is first.
struct largest_error {
    long double error = 0;
    std::uint64_t at = 0;
};

struct field_count {
    std::string name = {};
    std::uint64_t differing = 0;  ///< values, those of sub-arrays one by one
};

struct array_comparison {
    bool compared = false;          ///< the values were looked at
    std::uint64_t elements = 0;     ///< of each array
    std::uint64_t differing = 0;    ///< elements
    std::uint64_t nan_in_both = 0;  ///< values that differ only because NaN is not NaN
    /// Of all finite numbers, within the tolerance or not; relative to b where it is not 0.
    std::optional<largest_error> absolute = {}, relative = {};
    std::vector<field_count> fields = {};      ///< of a struct; else one without a name
    std::vector<value_difference> first = {};  ///< in row-major order
};

/// What two dtypes have to do with each other.
struct dtype_comparison {
    bool equal = true;                      ///< but for byte order and the layout of structs
    bool has_note = false;                  ///< byte order or layout differ
    std::vector<std::string> missing = {};  ///< fields that only one has, or that cannot be compared
};
[[nodiscard]] dtype_comparison compare_dtypes(const ndkeep::dtype& a, const ndkeep::dtype& b);

/// Arrays of one shape. Numbers of any two dtypes compare by value, text by its characters, dates of the same units,
/// and fields with those of their name.
/// @throws ndkeep::io_error  stopped
[[nodiscard]] array_comparison compare_values(const ndkeep::array_view& a, const ndkeep::array_view& b,
                                              const comparison_rules& rules, const ndkeep::run_options& run,
                                              const std::filesystem::path& called);

/// The place of an element: "[4, 1]".
[[nodiscard]] std::vector<std::size_t> index_of(std::uint64_t at, const std::vector<std::size_t>& shape);
[[nodiscard]] std::string index_text(std::uint64_t at, const std::vector<std::size_t>& shape);

}  // namespace tool
