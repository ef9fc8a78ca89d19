// SPDX-License-Identifier: BSD-3-Clause
// Unicode text: conversion between UTF-8 and latin-1, and the output of Python's repr.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::core {

/// Appends one character as UTF-8. A lone surrogate, which a Python string can hold, becomes the three bytes that the
/// encoding rule gives.
void append_utf8(std::string& out, char32_t character);

/// One decoded character of UTF-8 text.
struct decoded {
    char32_t character = 0;
    std::size_t length = 0;  ///< in bytes; 0 if the text ends or is not UTF-8
};

/// Decodes the character at byte `at`. Its length is 0 at the end of the text and for bytes that are not UTF-8. Lone
/// surrogates are decoded.
/// @see Unicode 15, table 3-7
[[nodiscard]] decoded decode_utf8(std::string_view text, std::size_t at);

/// Whether lone surrogates count as UTF-8.
enum class surrogates { refused, allowed };

/// Whether all of a text is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text, surrogates lone = surrogates::refused);

/// The number of characters in UTF-8 text.
[[nodiscard]] std::size_t character_count(std::string_view text);

/// UTF-8 text in quotes, with the escapes of Python's repr. Bytes that are not UTF-8 are printed as \xNN.
[[nodiscard]] std::string python_repr(std::string_view text);

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Whether a text has only ASCII characters, which are the same in UTF-8 and latin-1. Reads eight bytes at a time.
[[nodiscard]] bool is_ascii(std::string_view text);

/// Whether a code point is half of a UTF-16 pair: U+D800 to U+DFFF.
[[nodiscard]] bool is_surrogate(char32_t character);

/// Converts latin-1 to UTF-8. Every byte is a character.
[[nodiscard]] std::string from_latin1(std::string_view text);

/// Converts UTF-8 to latin-1; nullopt if the text has other characters or is not UTF-8.
[[nodiscard]] std::optional<std::string> to_latin1(std::string_view text);

/// A file name as text for JSON: unchanged if it is UTF-8, otherwise escaped as by Python's repr.
[[nodiscard]] std::string name_text(const std::string& name);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/unicode.ipp>
#endif
