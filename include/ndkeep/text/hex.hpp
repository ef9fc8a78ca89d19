// SPDX-License-Identifier: BSD-3-Clause
// Hexadecimal digits: numbers as text, and text as numbers.
#pragma once

#include <ndkeep/text/ascii.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Appends the lowest `digits` hexadecimal digits of a number, in lower case, the most significant one first.
inline void append_hex(std::string& out, std::uint64_t number, std::size_t digits) {
    while (digits-- != 0)
        out += "0123456789abcdef"[(number >> (4 * digits)) & 15];
}

/// The value of a hexadecimal digit of either case; 99 for any other character, which is above every base.
[[nodiscard]] constexpr unsigned digit_value(char c) {
    return static_cast<unsigned>(is_digit(c)            ? c - '0'
                                 : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                 : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                        : 99);
}

/// Whether a character is a hexadecimal digit as ndkeep writes it: in lower case.
[[nodiscard]] constexpr bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

/// Whether all characters of a text are such digits. True for an empty text.
[[nodiscard]] constexpr bool are_hex_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_hex_digit);
}

}  // namespace detail

namespace core {

/// `bits` as sixteen lower-case hexadecimal digits, with leading zeros.
[[nodiscard]] inline std::string hexadecimal(std::uint64_t bits) {
    std::string out;
    detail::append_hex(out, bits, 16);
    return out;
}

}  // namespace core

}  // namespace ndkeep
