// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/text/unicode.hpp>.
#pragma once

#include <ndkeep/text/unicode.hpp>

#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE bool is_ascii(std::string_view text) {
    constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080;
    std::uint64_t all = 0;
    std::size_t at = 0;
    for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
        // A copy, because the text need not be aligned.
        std::memcpy(&word, text.data() + at, sizeof word);
        all |= word;
    }
    for (; at < text.size(); ++at)
        all |= static_cast<unsigned char>(text[at]);
    return (all & high_bits) == 0;
}

NDKEEP_INLINE bool is_surrogate(char32_t character) { return character >= 0xd800 && character <= 0xdfff; }

NDKEEP_INLINE std::string from_latin1(std::string_view text) {
    if (is_ascii(text))
        return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (const char c : text)
        append_utf8(out, static_cast<unsigned char>(c));
    return out;
}

NDKEEP_INLINE std::optional<std::string> to_latin1(std::string_view text) {
    if (is_ascii(text))
        return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto [character, length] = decode_utf8(text, at);
        if (length == 0 || character > 0xff)
            return std::nullopt;
        out += static_cast<char>(static_cast<unsigned char>(character));
        at += length;
    }
    return out;
}

/// Whether Python's repr prints a character unescaped. Unassigned code points below plane 4 count as printable, because
/// each version of Python knows a different set of them.
[[nodiscard]] NDKEEP_INLINE bool is_printable(char32_t character) {
    struct range {
        char32_t first, last;
    };
    // Categories Cc, Cf, Co, Cs, Zl, Zp, and Zs without the space.
    static constexpr std::array<range, 26> hidden = {{
        {0, 0x1f},           {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},
        {0x6dd, 0x6dd},      {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},     {0x1680, 0x1680},
        {0x180e, 0x180e},    {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x2064},   {0x2066, 0x206f},
        {0x3000, 0x3000},    {0xd800, 0xf8ff},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd},
        {0x110cd, 0x110cd},  {0x13430, 0x13438}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x40000, 0xe00ff},
        {0xe01f0, 0x10ffff},
    }};
    // The last two code points of each plane are not characters.
    if ((character & 0xfffe) == 0xfffe)
        return false;
    const auto after = std::upper_bound(hidden.begin(), hidden.end(), character,
                                        [](char32_t c, const range& r) { return c < r.first; });
    return after == hidden.begin() || std::prev(after)->last < character;
}

NDKEEP_INLINE std::string name_text(const std::string& name) { return is_utf8(name) ? name : python_repr(name); }

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE void append_utf8(std::string& out, char32_t character) {
    const auto add = [&out](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    const auto more = [&](int shift) { add(0x80 | ((character >> shift) & 0x3f)); };
    if (character < 0x80) {
        add(character);
    } else if (character < 0x800) {
        add(0xc0 | (character >> 6));
        more(0);
    } else if (character < 0x10000) {
        add(0xe0 | (character >> 12));
        more(6);
        more(0);
    } else {
        add(0xf0 | (character >> 18));
        more(12);
        more(6);
        more(0);
    }
}

NDKEEP_INLINE decoded decode_utf8(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) -> char32_t {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
    };
    // Bytes after the end of the text read as 0, which is not a continuation byte.
    const char32_t first = byte(0);
    if (at >= text.size())
        return {};
    if (first < 0x80)
        return {first, 1};
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    // 0x80 to 0xbf only continue a character. 0xc0 and 0xc1 would encode ASCII in two bytes; 0xf5 and above exceed
    // U+10FFFF.
    if (first < 0xc2 || first > 0xf4)
        return {};
    char32_t character = first & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80)
            return {};
        character = (character << 6) | (byte(i) & 0x3f);
    }
    // An encoding longer than necessary is not UTF-8. Otherwise the same text could have different bytes.
    constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    if (character < least[length] || character > 0x10ffff)
        return {};
    return {character, length};
}

NDKEEP_INLINE bool is_utf8(std::string_view text, surrogates lone) {
    if (detail::is_ascii(text))
        return true;
    for (std::size_t at = 0; at < text.size();) {
        const auto [character, length] = decode_utf8(text, at);
        // `decode_utf8` accepts surrogates, as names in a header may hold them.
        if (length == 0 || (lone == surrogates::refused && detail::is_surrogate(character)))
            return false;
        at += length;
    }
    return true;
}

NDKEEP_INLINE std::size_t character_count(std::string_view text) {
    if (detail::is_ascii(text))
        return text.size();
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

NDKEEP_INLINE std::string python_repr(std::string_view text) {
    const bool has_single = text.find('\'') != std::string_view::npos;
    // As in Python: single quotes, unless the text has single quotes and no double ones.
    const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
    std::string out(1, quote);
    const auto escape = [&out](char letter, std::size_t digits, char32_t character) {
        out += '\\';
        out += letter;
        detail::append_hex(out, character, digits);
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto [character, length] = decode_utf8(text, at);
        if (length == 0) {
            escape('x', 2, static_cast<unsigned char>(text[at]));
            ++at;
            continue;
        }
        if (character == '\t' || character == '\n' || character == '\r') {
            out += '\\';
            out += character == '\t' ? 't' : character == '\n' ? 'n' : 'r';
        } else if (character == '\\' || character == static_cast<unsigned char>(quote)) {
            out += '\\';
            out += static_cast<char>(character);
        } else if (detail::is_printable(character)) {
            out += text.substr(at, length);
        } else if (character <= 0xff) {
            escape('x', 2, character);
        } else if (character <= 0xffff) {
            escape('u', 4, character);
        } else {
            escape('U', 8, character);
        }
        at += length;
    }
    return out + quote;
}

}  // namespace ndkeep::core
