// SPDX-License-Identifier: BSD-3-Clause
// Elements as values: the plain values within a struct, numbers in two widths, and text that means the same.
#pragma once

#include <ndkeep/format/dtype.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// Plain values within an element: a field, or the whole of it. Those of a sub-array lie one behind the other.
struct leaf {
    std::string name = {};  ///< "position.x"; empty for the whole
    ndkeep::dtype type = {};
    std::size_t offset = 0;  ///< bytes from the start of the element
    std::size_t count = 1;
};

/// In the order of the fields. Sub-arrays of structs are told one by one.
[[nodiscard]] std::vector<leaf> leaves_of(const ndkeep::dtype& type);

/// b, i, u, f, c.
[[nodiscard]] bool is_number(const ndkeep::dtype& type);
/// Whether a double cannot hold every value exactly, half a complex one included.
[[nodiscard]] bool is_wide(const ndkeep::dtype& type);
/// Values that a number consists of: 2 of a complex one, else 1.
[[nodiscard]] std::size_t number_parts(const ndkeep::dtype& type);

/// Reads `count` numbers that lie `stride` bytes apart, complex ones as two each. Real is double or long double, and
/// the second holds all exactly.
template <class Real>
void read_numbers(const ndkeep::dtype& type, const std::byte* from, std::size_t stride, std::size_t count, Real* out);

/// A time in its units.
[[nodiscard]] std::int64_t read_time(const ndkeep::dtype& type, const std::byte* from);

/// The characters of S and U, what is behind the last that is not zero left out: UTF-8 for U, bytes for S.
[[nodiscard]] std::string read_text(const ndkeep::dtype& type, const std::byte* from);

/// A plain value: numbers with the fewest digits that mean the same number of their type, dates in ISO 8601, text as it
/// is, other bytes in hexadecimal.
[[nodiscard]] std::string value_text(const ndkeep::dtype& type, const std::byte* from);

/// The fewest digits that mean this number to a type of so many bytes.
[[nodiscard]] std::string number_text(long double value, std::size_t bytes);

}  // namespace tool
