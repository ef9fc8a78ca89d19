// SPDX-License-Identifier: BSD-3-Clause
// Plain values as they lie in a file, in either byte order.
#pragma once

#include <ndkeep/format/dtype.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace tool {

/// b, i, u, f, c.
[[nodiscard]] bool is_number(const ndkeep::dtype& type);
/// M and m, which are counts.
[[nodiscard]] bool is_time(const ndkeep::dtype& type);
/// S and U.
[[nodiscard]] bool is_text(const ndkeep::dtype& type);
/// Whether there is a least and a most, and a line from one to the other.
[[nodiscard]] inline bool has_magnitude(const ndkeep::dtype& type) { return is_number(type) || is_time(type); }
/// Whether a double cannot hold every value exactly, half a complex one included.
[[nodiscard]] bool is_wide(const ndkeep::dtype& type);
/// Values that a number consists of: 2 of a complex one, else 1.
[[nodiscard]] std::size_t number_parts(const ndkeep::dtype& type);

/// @param type  i, M or m
[[nodiscard]] std::int64_t integer_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  u
[[nodiscard]] std::uint64_t unsigned_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  f or c
[[nodiscard]] long double real_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  c
[[nodiscard]] long double imaginary_at(const ndkeep::dtype& type, const std::byte* value);

/// Any number or time as one: NaT is NaN, a complex number its magnitude.
[[nodiscard]] double number_at(const ndkeep::dtype& type, const std::byte* value);

/// S and U without the zeros behind them; U as UTF-8, S as its bytes.
[[nodiscard]] std::string text_at(const ndkeep::dtype& type, const std::byte* value);

static_assert(std::numeric_limits<long double>::digits >= 64, "integers of 64 bits go through long double");

/// Reads `count` numbers that lie `stride` bytes apart, complex ones as two each. Real is double or long double, and
/// the second holds all exactly.
template <class Real>
void read_numbers(const ndkeep::dtype& type, const std::byte* from, std::size_t stride, std::size_t count, Real* out);

}  // namespace tool
