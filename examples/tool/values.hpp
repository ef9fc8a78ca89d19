// SPDX-License-Identifier: BSD-3-Clause
// Reads plain values from file bytes in either byte order.
#pragma once

#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/format/dtype.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace tool {

/// Whether values have a magnitude, so that ranges, histograms and plots are defined.
[[nodiscard]] inline bool has_magnitude(const ndkeep::dtype& type) { return type.is_number() || type.is_time(); }
/// Whether double cannot hold every value exactly. For complex numbers, this is about their parts.
[[nodiscard]] bool is_wide(const ndkeep::dtype& type);
/// Number of parts: 2 for complex numbers, else 1.
[[nodiscard]] inline std::size_t number_parts(const ndkeep::dtype& type) { return type.is_complex() ? 2 : 1; }

/// Calls `use` with `std::type_identity` of the C++ type of a number or time, or of one part of a complex number.
template <class Use>
void with_part_type(const ndkeep::dtype& type, const Use& use) {
    (void)ndkeep::core::with_element_type(type, [&use]<class T>(std::type_identity<T> whole) {
        if constexpr (requires { typename T::value_type; })
            use(std::type_identity<typename T::value_type>());
        else
            use(whole);
    });
}

/// @param type  kind i, M or m
[[nodiscard]] std::int64_t integer_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  kind u
[[nodiscard]] std::uint64_t unsigned_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  a floating-point or complex number
[[nodiscard]] long double real_at(const ndkeep::dtype& type, const std::byte* value);
/// @param type  a complex number
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
