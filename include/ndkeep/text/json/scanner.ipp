// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/text/json/scanner.hpp>.
#pragma once

#include <ndkeep/text/json/scanner.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/bytes/float_environment.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/unicode.hpp>

#include <charconv>
#include <clocale>
#include <cstdlib>
#include <limits>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE json_bound bound_of(const limits& limit) {
    return {limit.json_values, "limits{.json_values = …} reads more"};
}

NDKEEP_INLINE void json_scanner::begin() {
    if (text_.starts_with("\xef\xbb\xbf"))  // RFC 8259, 8.1: a parser may ignore a byte order mark
        at_ = 3;
    skip_blanks();
}

NDKEEP_INLINE void json_scanner::end() const {
    if (at_ != text_.size())
        broken();
}

NDKEEP_INLINE void json_scanner::refuse(std::string expected, std::string found, std::string_view hint) const {
    throw malformed(file_, "JSON text", std::move(expected), std::move(found), std::string(hint));
}

NDKEEP_INLINE void json_scanner::skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')
        ++at_;
}

NDKEEP_INLINE bool json_scanner::take(char sign) {
    if (peek() != sign)
        return false;
    ++at_;
    skip_blanks();
    return true;
}

NDKEEP_INLINE void json_scanner::need(char sign) {
    if (!take(sign))
        broken();
}

NDKEEP_INLINE void json_scanner::need_word(std::string_view word) {
    for (const char letter : word) {
        if (peek() != letter)
            broken();
        ++at_;
    }
    skip_blanks();
}

NDKEEP_INLINE void json_scanner::count_value() {
    if (values_++ == bound_.values)
        refuse("at most " + counted(bound_.values, "value"), "longer", bound_.hint);
}

NDKEEP_INLINE void json_scanner::open(char bracket) {
    if (++depth_ > deepest_json)
        refuse("at most " + counted(deepest_json, "level"), "nested deeper");
    need(bracket);
}

NDKEEP_INLINE void json_scanner::close(char bracket) {
    need(bracket);
    --depth_;
}

NDKEEP_INLINE std::string json_scanner::string() {
    if (peek() != '"')
        broken();
    ++at_;
    std::string out;
    while (peek() != '"') {
        if (peek() == '\\') {
            escape(out);
            continue;
        }
        // RFC 8259, 7: control characters must be escaped. The NUL at the end is rejected here too.
        const auto [character, length] = decode_utf8(text_, at_);
        if (length == 0 || character < 0x20 || is_surrogate(character))
            broken();
        out += text_.substr(at_, length);
        at_ += length;
    }
    need('"');
    return out;
}

NDKEEP_INLINE void json_scanner::escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    ++at_;
    const auto which = letters.find(peek());
    if (which != std::string_view::npos) {
        out += meanings[which];
        ++at_;
        return;
    }
    char32_t character = code_unit();
    if (character >= 0xd800 && character <= 0xdbff) {  // RFC 8259, 7: the first half of a pair
        if (peek() != '\\')
            broken();
        ++at_;
        const std::size_t second_at = at_;
        const char32_t second = code_unit();
        // A lone surrogate is not a character, so it cannot become UTF-8.
        if (second < 0xdc00 || second > 0xdfff) {
            at_ = second_at;
            broken();
        }
        character = 0x10000 + ((character - 0xd800) << 10) + (second - 0xdc00);
    } else if (is_surrogate(character)) {
        broken();
    }
    append_utf8(out, character);
}

NDKEEP_INLINE char32_t json_scanner::code_unit() {
    if (peek() != 'u')
        broken();
    ++at_;
    char32_t unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
        const unsigned digit = digit_value(peek());
        if (digit >= 16)
            broken();
        unit = unit * 16 + digit;
    }
    return unit;
}

NDKEEP_INLINE void json_scanner::need_digits() {
    if (!is_digit(peek()))
        broken();
    while (is_digit(peek()))
        ++at_;
}

NDKEEP_INLINE number_token json_scanner::number() {
    const std::size_t start = at_;
    const bool negative = peek() == '-';
    at_ += negative;
    const std::size_t first = at_;
    // RFC 8259, 6: no zeros in front.
    if (peek() == '0')
        ++at_;
    else
        need_digits();
    const std::string_view digits = text_.substr(first, at_ - first);
    bool whole = true;
    if (peek() == '.') {
        whole = false;
        ++at_;
        need_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
        whole = false;
        ++at_;
        at_ += peek() == '+' || peek() == '-';
        need_digits();
    }
    number_token out;
    if (!whole || !integer(out, digits, negative))
        out.value = real(std::string(text_.substr(start, at_ - start)), start);
    skip_blanks();
    return out;
}

NDKEEP_INLINE bool json_scanner::integer(number_token& out, std::string_view digits, bool negative) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    constexpr auto most_negative = std::uint64_t{1} << 63;
    std::uint64_t magnitude = 0;
    for (const char c : digits) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        // The product must not wrap.
        if (magnitude > (most - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    // The smallest std::int64_t is -2^63.
    if (negative && magnitude > most_negative)
        return false;
    out.is = negative ? number_token::negative : number_token::count;
    out.magnitude = magnitude;
    return true;
}

NDKEEP_INLINE double json_scanner::real(std::string text, std::size_t start) {
    const default_arithmetic as_written;  // both functions below follow the rounding mode of the thread
    double number = 0;
// Used where the standard library has it for doubles: it does not depend on the locale.
#if defined(__cpp_lib_to_chars)
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc())
        return number;
#endif
    // from_chars does not tell a number that is too large from one that is too small. strtod returns infinity or a
    // number near 0, but it expects the decimal point of the locale.
    if (const auto point = text.find('.'); point != std::string::npos)
        text.replace(point, 1, std::localeconv()->decimal_point);
    number = std::strtod(text.c_str(), nullptr);
    if (!is_finite(number)) {
        at_ = start;
        broken();
    }
    return number;
}

}  // namespace ndkeep::detail
