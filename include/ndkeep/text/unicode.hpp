// SPDX-License-Identifier: BSD-3-Clause
// Characters: UTF-8 and latin-1 both ways, and text as Python's repr prints it.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::core {

/// Lone surrogates are written as the three bytes UTF-8 would give them: Python texts can hold them.
void append_utf8(std::string& out, char32_t character);

/// One character of UTF-8 text.
struct decoded {
    char32_t character = 0;
    std::size_t length = 0;  ///< bytes; 0 if there is no character
};

/// The character at `at`, of length 0 where the text ends or is not UTF-8 (Unicode 15, table 3-7, and lone surrogates).
[[nodiscard]] decoded decode_utf8(std::string_view text, std::size_t at);

/// Whether lone surrogates pass for UTF-8.
enum class surrogates { refused, allowed };

/// Whether a text is UTF-8 from its beginning to its end.
[[nodiscard]] bool is_utf8(std::string_view text, surrogates lone = surrogates::refused);

/// Characters of UTF-8 text.
[[nodiscard]] std::size_t character_count(std::string_view text);

/// UTF-8 text as Python's repr quotes and escapes it.
[[nodiscard]] std::string python_repr(std::string_view text);

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Whether all characters are of one byte, in UTF-8 and in latin-1: the usual case, told eight bytes at a time.
[[nodiscard]] bool is_ascii(std::string_view text);

[[nodiscard]] bool is_surrogate(char32_t character);

[[nodiscard]] std::string from_latin1(std::string_view text);

/// Nothing if a character is beyond latin-1.
[[nodiscard]] std::optional<std::string> to_latin1(std::string_view text);

/// A file name as text that JSON can hold: unchanged if it is UTF-8, else as Python's repr escapes it.
[[nodiscard]] std::string name_text(const std::string& name);

/// Text of a file for an error: as Python prints it, which is ASCII or printable, cut after 200 bytes.
[[nodiscard]] std::string printed(std::string_view text);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/unicode.ipp>
#endif
