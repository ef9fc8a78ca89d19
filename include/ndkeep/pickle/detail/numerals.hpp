// SPDX-License-Identifier: BSD-3-Clause
// Numbers and strings as pickles of protocol 0 write them.
#pragma once

#include <ndkeep/version.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Whether this is an integer in decimal: digits, with or without a minus sign.
[[nodiscard]] bool is_decimal(std::string_view text);
/// The decimal digits of an integer in two's complement, the lowest byte first.
[[nodiscard]] std::string decimal_of_long(std::string_view bytes);
/// A number as Python prints it, "inf" and "nan" too; nullopt if it is none.
[[nodiscard]] std::optional<double> float_of_line(std::string_view line);
/// The bytes of a string in quotes, with Python's escapes; nullopt if it is none.
[[nodiscard]] std::optional<std::string> text_of_repr(std::string_view line);
/// UTF-8 of Latin-1 with escapes of the forms \u0041 and \U00000041; nullopt if it is none. A pair of surrogates is
/// one character.
[[nodiscard]] std::optional<std::string> text_of_escapes(std::string_view line);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/numerals.ipp>
#endif
