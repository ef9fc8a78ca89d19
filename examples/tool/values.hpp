// SPDX-License-Identifier: BSD-3-Clause
// Reads plain values from file bytes in either byte order.
#pragma once

#include <ndkeep/format/dtype.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace tool {

/// Kinds b, i, u, f, E (bfloat16) and c.
[[nodiscard]] bool is_number(const ndkeep::dtype& type);
/// Kinds M and m, which are stored as integer counts.
[[nodiscard]] bool is_time(const ndkeep::dtype& type);
/// Kinds S and U.
[[nodiscard]] bool is_text(const ndkeep::dtype& type);
/// Whether values have a magnitude, so that ranges, histograms and plots are defined.
[[nodiscard]] inline bool has_magnitude(const ndkeep::dtype& type) { return is_number(type) || is_time(type); }
/// Whether double cannot hold every value exactly. For complex numbers, this is about their parts.
[[nodiscard]] bool is_wide(const ndkeep::dtype& type);
/// Number of parts: 2 for complex numbers, else 1.
[[nodiscard]] std::size_t number_parts(const ndkeep::dtype& type);

/// @param type  kind i, M or m
[[nodiscard]] std::int64_t integer_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  kind u
[[nodiscard]] std::uint64_t unsigned_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  kind f, E or c
[[nodiscard]] long double real_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  kind c
[[nodiscard]] long double imaginary_at(const ndkeep::dtype& type, const std::byte* value);

/// Any number or time as double: NaT becomes NaN, a complex number its magnitude.
[[nodiscard]] double number_at(const ndkeep::dtype& type, const std::byte* value);

/// Text without trailing zeros: U as UTF-8, S as its bytes.
[[nodiscard]] std::string text_at(const ndkeep::dtype& type, const std::byte* value);

static_assert(std::numeric_limits<long double>::digits >= 64, "integers of 64 bits go through long double");

/// Reads `count` numbers that are `stride` bytes apart; a complex number gives two. Real is double or long double; long
/// double holds every number exactly.
template <class Real>
void read_numbers(const ndkeep::dtype& type, const std::byte* from, std::size_t stride, std::size_t count, Real* out);

}  // namespace tool
