// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/error.hpp>.
#pragma once

#include <ndkeep/error.hpp>

#include <ndkeep/text/hex.hpp>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Bytes of the first character of `text` if it can be shown, 0 if it must be escaped. Control characters (C0, DEL and
/// C1) control the terminal. Characters and marks of the writing direction can make one name look like another. Bytes
/// that are not UTF-8 can control terminals with another encoding.
/// @see Unicode 15, table 3-7
[[nodiscard]] constexpr std::size_t shown_length(std::string_view text) {
    const auto byte = [text](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    };
    const unsigned first = byte(0), second = byte(1), third = byte(2);
    if (first < 0x80)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    // Excludes overlong forms, surrogates and everything above U+10FFFF.
    const bool is_utf8 = first >= 0xc2 && first <= 0xf4 && (first != 0xe0 || second >= 0xa0) &&
                         (first != 0xed || second < 0xa0) && (first != 0xf0 || second >= 0x90) &&
                         (first != 0xf4 || second < 0x90);
    const bool is_c1 = first == 0xc2 && second < 0xa0;
    const bool turns = (first == 0xd8 && second == 0x9c) ||                                        // U+061C
                       (first == 0xe2 && ((second == 0x80 && (third == 0x8e || third == 0x8f)) ||  // U+200E, U+200F
                                          (second == 0x80 && third >= 0xaa && third <= 0xae) ||    // U+202A to U+202E
                                          (second == 0x81 && third >= 0xa6 && third <= 0xa9)));    // U+2066 to U+2069
    return is_utf8 && !is_c1 && !turns ? length : 0;
}

NDKEEP_INLINE std::string sentence(const error_parts& parts) {
    std::string text = parts.file.string();
    const auto add = [&text](std::string_view glue, std::string_view words) {
        if (words.empty())
            return;
        if (!text.empty())
            text += glue;
        text += words;
    };
    add(": ", parts.field);
    add(parts.field.empty() ? ": " : " is ", parts.found);
    if (!parts.expected.empty())
        text += (parts.found.empty() ? " is not " : ", expected ") + parts.expected;
    if (!parts.hint.empty())
        text += " (" + parts.hint + ")";
    // The complete sentence: file names and hints may hold text from a file as well.
    return escaped(text);
}

}  // namespace detail

namespace core {

NDKEEP_INLINE std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = detail::shown_length(text);
        if (length == 0) {
            out += "\\x";
            detail::append_hex(out, static_cast<unsigned char>(text.front()), 2);
        }
        out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

}  // namespace core

namespace detail {

NDKEEP_INLINE format_error malformed(const std::filesystem::path& file, std::string field, std::string expected,
                                     std::string found, std::string hint) {
    return format_error({.file = file,
                         .field = std::move(field),
                         .expected = std::move(expected),
                         .found = std::move(found),
                         .hint = std::move(hint)});
}

NDKEEP_INLINE mismatch_error mismatched(const std::filesystem::path& file, std::string field, std::string expected,
                                        std::string found, std::string hint) {
    return mismatch_error({.file = file,
                           .field = std::move(field),
                           .expected = std::move(expected),
                           .found = std::move(found),
                           .hint = std::move(hint)});
}

}  // namespace detail

NDKEEP_INLINE std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 200;
    const bool is_cut = text.size() > longest;
    // A character that the cut divides is not UTF-8 any more, so its first bytes are shown as \xNN.
    std::string out = "'";
    out += detail::escaped(text.substr(0, longest));
    out += is_cut ? "…'" : "'";
    return out;
}

NDKEEP_INLINE std::string quoted(const std::string& text) { return quoted(std::string_view(text)); }

}  // namespace ndkeep
