// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/text/python/scanner.hpp>.
#pragma once

#include <ndkeep/text/python/scanner.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE literal_scanner::literal_scanner(std::string_view text, std::string_view field,
                                               const std::filesystem::path& file, bool long_suffix)
    : text_(text), field_(field), file_(file), long_suffix_(long_suffix) {
    if (!is_utf8(text_))
        fail("not UTF-8", "UTF-8");
    // Python rejects NUL in source. Without this, `peek` could not use NUL for the end.
    if (const auto nul = text_.find('\0'); nul != std::string_view::npos) {
        at_ = nul;
        fail("a NUL byte", "text");
    }
}

NDKEEP_INLINE char literal_scanner::peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
}

NDKEEP_INLINE void literal_scanner::fail(std::string found, std::string expected) const {
    found += " at character " + std::to_string(character_count(text_.substr(0, at_)) + 1);
    throw malformed(file_, std::string(field_), std::move(expected), std::move(found));
}

NDKEEP_INLINE std::string literal_scanner::here() const {
    if (at_end())
        return "cut off";
    std::size_t end = at_;
    while (end < text_.size() && end - at_ < 40 && (is_letter(text_[end]) || is_digit(text_[end])))
        ++end;
    return ndkeep::quoted(text_.substr(at_, std::max<std::size_t>(end - at_, 1)));
}

NDKEEP_INLINE void literal_scanner::step() {
    ++at_;
    skip_blanks();
}

NDKEEP_INLINE void literal_scanner::skip_blanks() {
    while (true) {
        const char c = peek();
        if (c == '\\' && is_newline(peek(1))) {
            ++at_;
            skip_newline();
            if (at_end())
                fail(here(), "another line after the backslash");
        } else if (c == '#') {
            while (!at_end() && !is_newline(peek()))
                ++at_;
        } else if (c == ' ' || c == '\t' || c == '\f' || (depth_ > 0 && is_newline(c))) {
            ++at_;
        } else {
            return;
        }
    }
}

NDKEEP_INLINE void literal_scanner::skip_indentation() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\f')
        ++at_;
    for (std::size_t column = 0;; ++at_) {
        const char c = peek();
        if (c == '#') {
            while (at_ + 1 < text_.size() && !is_newline(peek(1)))
                ++at_;
        } else if (c == ' ' || c == '\t') {
            ++column;
        } else if (c == '\f' || is_newline(c)) {
            column = 0;
        } else if (column > 0 && c != '\\' && !at_end()) {
            fail("an indented line", "no spaces before the value");
        } else {
            return skip_blanks();
        }
    }
}

NDKEEP_INLINE void literal_scanner::open_bracket(std::size_t deepest) {
    if (++depth_ > deepest)
        fail("more than " + counted(deepest, "level") + " of brackets", "at most that many");
    step();
}

NDKEEP_INLINE void literal_scanner::close_bracket(char bracket) {
    if (peek() != bracket)
        fail(here(), ndkeep::quoted(std::string(1, bracket)));
    --depth_;
    step();
}

NDKEEP_INLINE void literal_scanner::finish() {
    // From here newlines are blanks, as inside of brackets.
    depth_ = 1;
    skip_blanks();
    if (!at_end())
        fail(here(), "the end of the text");
}

NDKEEP_INLINE bool literal_scanner::take_name(std::string_view name) {
    if (!text_.substr(at_).starts_with(name) || is_letter(peek(name.size())) || is_digit(peek(name.size())))
        return false;
    at_ += name.size();
    skip_blanks();
    return true;
}

NDKEEP_INLINE literal_number literal_scanner::number() {
    const std::size_t start = at_;
    literal_number out;
    const char mark = static_cast<char>(peek(1) | 0x20);
    const unsigned base = peek() != '0' ? 10 : mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    if (base != 10) {
        // Python allows one underscore after 0x, 0o and 0b.
        at_ += peek(2) == '_' ? 3 : 2;
        if (digit_value(peek()) >= base)
            fail(here(), "digits");
    }
    const std::size_t first = at_;
    digits(base);
    if (base == 10 && (peek() == '.' || (peek() | 0x20) == 'e')) {
        out.floating = true;
        fraction_and_exponent();
    } else if (base == 10 && text_[first] == '0' &&
               text_.substr(first, at_ - first).find_first_not_of("0_") != std::string_view::npos) {
        // Python 3 has no octal numbers such as 017, but it accepts 00.
        fail("a number that starts with 0", "a number without leading zeros");
    }
    if (out.floating)
        out.text = text_.substr(start, at_ - start);
    else
        for (const char c : text_.substr(first, at_ - first))
            if (c != '_')
                add_digit(out, base, digit_value(c));
    skip_suffix();
    return out;
}

NDKEEP_INLINE scanned_string literal_scanner::strings() {
    scanned_string out;
    for (bool first = true; at_string(); first = false) {
        const auto prefix = text_.substr(at_, prefix_length());
        const bool bytes = prefix.find_first_of("bB") != std::string_view::npos;
        if (!first && bytes != out.bytes)
            fail("text next to bytes", "only one of the two");
        out.bytes = bytes;
        at_ += prefix.size();
        string_body(out, prefix.find_first_of("rR") != std::string_view::npos);
        skip_blanks();
    }
    return out;
}

NDKEEP_INLINE void literal_scanner::digits(unsigned base) {
    while (digit_value(peek()) < base || (peek() == '_' && digit_value(peek(1)) < base))
        ++at_;
}

NDKEEP_INLINE void literal_scanner::fraction_and_exponent() {
    if (peek() == '.') {
        ++at_;
        if (is_digit(peek()))
            digits(10);
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
    if ((peek() | 0x20) == 'e' && is_digit(peek(sign))) {
        at_ += sign;
        digits(10);
    }
}

NDKEEP_INLINE void literal_scanner::add_digit(literal_number& out, unsigned base, unsigned digit) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    // Digits are still read after an overflow, because the end of the number must be found.
    if (out.magnitude > (most - digit) / base)
        out.too_large = true;
    out.magnitude = out.magnitude * base + digit;
}

NDKEEP_INLINE void literal_scanner::skip_suffix() {
    while (true) {
        const std::size_t number_end = at_;
        if (long_suffix_)
            skip_joined();
        if (!long_suffix_ || peek() != 'L' || is_letter(peek(1)) || is_digit(peek(1))) {
            // Blanks after the number are left to `skip_blanks`, which treats newlines in brackets.
            at_ = number_end;
            break;
        }
        ++at_;
    }
    // Without this, "2x" would be two tokens.
    if (is_letter(peek()) || is_digit(peek()))
        fail(here() + " after a number", "the end of the number");
    skip_blanks();
}

NDKEEP_INLINE void literal_scanner::skip_joined() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\f' || (peek() == '\\' && is_newline(peek(1))))
        if (at_++; is_newline(peek()))
            skip_newline();
}

NDKEEP_INLINE std::size_t literal_scanner::prefix_length() const {
    const auto is_quote = [](char c) { return c == '\'' || c == '"'; };
    const auto lower = [&](std::size_t i) { return static_cast<char>(peek(i) | 0x20); };
    if (is_quote(peek()))
        return 0;
    if (is_quote(peek(1)))
        return lower(0) == 'r' || lower(0) == 'u' || lower(0) == 'b' ? 1 : no_string;
    const bool both = (lower(0) == 'b' && lower(1) == 'r') || (lower(0) == 'r' && lower(1) == 'b');
    return both && is_quote(peek(2)) ? 2 : no_string;
}

NDKEEP_INLINE void literal_scanner::string_body(scanned_string& out, bool raw) {
    const char quote = peek();
    const bool triple = peek(1) == quote && peek(2) == quote;
    const std::size_t start = at_;
    at_ += triple ? 3 : 1;
    while (true) {
        const std::size_t begin = at_;
        while (!at_end() && is_plain(text_[at_]))
            ++at_;
        out.text += text_.substr(begin, at_ - begin);
        const char c = peek();
        if (at_end() || (is_newline(c) && !triple)) {
            // The error shows the beginning of the string.
            at_ = start;
            fail("a string without an end", ndkeep::quoted(std::string(triple ? 3 : 1, quote)));
        }
        if (c == quote && (!triple || (peek(1) == quote && peek(2) == quote))) {
            at_ += triple ? 3 : 1;
            return;
        }
        if (c == '\\' && !raw) {
            escape(out);
        } else if (c == '\\' && peek(1) != '\0') {
            // In a raw string a backslash stays, and the character after it cannot end the string.
            out.text += c;
            ++at_;
            plain(out);
        } else {
            plain(out);
        }
    }
}

NDKEEP_INLINE bool literal_scanner::is_plain(char c) {
    return c != '\'' && c != '"' && c != '\\' && !is_newline(c) && static_cast<unsigned char>(c) < 0x80;
}

NDKEEP_INLINE void literal_scanner::plain(scanned_string& out) {
    if (is_newline(peek())) {
        out.text += '\n';
        return skip_newline();
    }
    if (out.bytes && static_cast<unsigned char>(peek()) >= 0x80)
        fail(here() + " in bytes", "ASCII characters");
    out.text += peek();
    ++at_;
}

NDKEEP_INLINE void literal_scanner::escape(scanned_string& out) {
    constexpr std::string_view letters = "\\'\"abfnrtv", meanings = "\\'\"\a\b\f\n\r\t\v";
    const char c = peek(1);
    if (is_newline(c)) {
        ++at_;
        skip_newline();
    } else if (const auto i = letters.find(c); i != std::string_view::npos) {
        out.text += meanings[i];
        at_ += 2;
    } else if (digit_value(c) < 8) {
        ++at_;
        coded(out, 8, 1, 3);
    } else if (c == 'x' || (!out.bytes && (c == 'u' || c == 'U'))) {
        at_ += 2;
        const std::size_t length = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        coded(out, 16, length, length);
    } else if (c == 'N' && !out.bytes) {
        // That would need the names of all Unicode characters.
        fail("a character by name, \\N{…},", "the character or \\u and its number");
    } else {
        out.text += '\\';
        ++at_;
    }
}

NDKEEP_INLINE void literal_scanner::coded(scanned_string& out, unsigned base, std::size_t least, std::size_t most) {
    std::uint32_t code = 0;
    std::size_t count = 0;
    for (; count < most && digit_value(peek()) < base; ++count, ++at_)
        code = code * base + digit_value(peek());
    if (count < least)
        fail("a short escape", counted(least, "hexadecimal digit"));
    if (out.bytes)
        out.text += static_cast<char>(static_cast<unsigned char>(code));
    else if (code > 0x10ffff)
        fail("an escape beyond \\U0010ffff", "a character");
    else
        append_utf8(out.text, code);
}

}  // namespace ndkeep::detail
