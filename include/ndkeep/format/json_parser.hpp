// SPDX-License-Identifier: BSD-3-Clause
// JSON text into nlohmann's values, bounded.
//
// nlohmann's own parser is left to those who use it: a template over every way to read and to build, it would cost each
// file that includes this one a fifth of a second.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/format/unicode.hpp>

#include <charconv>
#include <clocale>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace ndkeep {

using json = nlohmann::json;

namespace detail {

inline constexpr std::size_t deepest_json = 128;

/// Reads one JSON value with nothing but blanks around it. Of members with the same name the last one stays.
///
/// Integers stay exact as far as 64 bits hold them; a number beyond the largest double is refused.
/// @see RFC 8259
class json_parser {
  public:
    /// @param file  named in errors
    json_parser(std::string_view text, const std::filesystem::path& file) : text_(text), file_(file) {}

    [[nodiscard]] json read() {
        if (text_.starts_with("\xef\xbb\xbf"))  // a byte order mark may be passed over: RFC 8259, 8.1
            at_ = 3;
        skip_blanks();
        json out = value();
        if (at_ != text_.size())
            broken();
        return out;
    }

  private:
    [[noreturn]] void refuse(std::string expected, std::string found) const {
        throw format_error(
            {.file = file_, .field = "json", .expected = std::move(expected), .found = std::move(found)});
    }
    [[noreturn]] void broken() const { refuse("valid JSON", "broken at byte " + std::to_string(at_ + 1)); }

    /// NUL at the end, which no grammar takes, as it takes none in the text.
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip_blanks() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')
            ++at_;
    }
    [[nodiscard]] bool take(char sign) {
        if (peek() != sign)
            return false;
        ++at_;
        skip_blanks();
        return true;
    }
    void need(char sign) {
        if (!take(sign))
            broken();
    }
    void need_word(std::string_view word) {
        for (const char letter : word) {
            if (peek() != letter)
                broken();
            ++at_;
        }
        skip_blanks();
    }

    [[nodiscard]] json value() {
        switch (peek()) {
        case '{':
            return object();
        case '[':
            return array();
        case '"': {
            json out(json::value_t::string);
            *out.get_ptr<json::string_t*>() = string();
            return out;
        }
        case 't':
        case 'f': {
            json out(json::value_t::boolean);
            *out.get_ptr<json::boolean_t*>() = peek() == 't';
            need_word(peek() == 't' ? "true" : "false");
            return out;
        }
        case 'n':
            need_word("null");
            return {};
        default:
            return number();
        }
    }

    void open(char bracket) {
        if (++depth_ > deepest_json)
            refuse("at most 128 levels", "nested deeper");
        need(bracket);
    }
    void close(char bracket) {
        need(bracket);
        --depth_;
    }

    [[nodiscard]] json object() {
        json out(json::value_t::object);
        auto& members = *out.get_ptr<json::object_t*>();
        open('{');
        if (peek() != '}') {
            do {
                const std::string name = string();
                need(':');
                members[name] = value();
            } while (take(','));
        }
        close('}');
        return out;
    }

    [[nodiscard]] json array() {
        json out(json::value_t::array);
        auto& items = *out.get_ptr<json::array_t*>();
        open('[');
        if (peek() != ']') {
            do {
                items.push_back(value());
            } while (take(','));
        }
        close(']');
        return out;
    }

    [[nodiscard]] std::string string() {
        if (peek() != '"')
            broken();
        ++at_;
        std::string out;
        while (peek() != '"') {
            if (peek() == '\\') {
                escape(out);
                continue;
            }
            const auto [character, length] = decode_utf8(text_, at_);
            if (length == 0 || character < 0x20 || is_surrogate(character))
                broken();
            out += text_.substr(at_, length);
            at_ += length;
        }
        need('"');
        return out;
    }

    void escape(std::string& out) {
        constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        ++at_;
        const auto which = letters.find(peek());
        if (which != std::string_view::npos) {
            out += meanings[which];
            ++at_;
            return;
        }
        char32_t character = code_unit();
        if (character >= 0xd800 && character <= 0xdbff) {  // the first of two: RFC 8259, 7
            if (peek() != '\\')
                broken();
            ++at_;
            const std::size_t second_at = at_;
            const char32_t second = code_unit();
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

    /// The u and four digits of \uXXXX.
    [[nodiscard]] char32_t code_unit() {
        if (peek() != 'u')
            broken();
        ++at_;
        char32_t unit = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = peek();
            const char lower = static_cast<char>(c | 0x20);
            if (is_digit())
                unit = unit * 16 + static_cast<char32_t>(c - '0');
            else if (lower >= 'a' && lower <= 'f')
                unit = unit * 16 + static_cast<char32_t>(lower - 'a' + 10);
            else
                broken();
        }
        return unit;
    }

    [[nodiscard]] bool is_digit() const { return peek() >= '0' && peek() <= '9'; }
    void need_digits() {
        if (!is_digit())
            broken();
        while (is_digit())
            ++at_;
    }

    [[nodiscard]] json number() {
        const std::size_t start = at_;
        const bool negative = peek() == '-';
        at_ += negative;
        const std::size_t first = at_;
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
        const std::string_view text = text_.substr(start, at_ - start);
        json out = whole ? integer(digits, negative) : json();
        if (out.is_null())
            out = real(std::string(text), start);
        skip_blanks();
        return out;
    }

    /// Null where 64 bits are too few.
    [[nodiscard]] static json integer(std::string_view digits, bool negative) {
        constexpr auto most = std::numeric_limits<std::uint64_t>::max();
        constexpr auto most_negative = std::uint64_t{1} << 63;
        std::uint64_t magnitude = 0;
        for (const char c : digits) {
            const auto digit = static_cast<std::uint64_t>(c - '0');
            if (magnitude > (most - digit) / 10)
                return {};
            magnitude = magnitude * 10 + digit;
        }
        if (negative && magnitude > most_negative)
            return {};
        json out(negative ? json::value_t::number_integer : json::value_t::number_unsigned);
        if (negative)
            *out.get_ptr<json::number_integer_t*>() = static_cast<std::int64_t>(0 - magnitude);
        else
            *out.get_ptr<json::number_unsigned_t*>() = magnitude;
        return out;
    }

    [[nodiscard]] json real(std::string text, std::size_t start) {
        json out(json::value_t::number_float);
        double& number = *out.get_ptr<json::number_float_t*>();
#if defined(__cpp_lib_to_chars)
        if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc())
            return out;
#endif
        // from_chars does not say whether a number is too large or too small; strtod does, and wants the locale's
        // point.
        if (const auto point = text.find('.'); point != std::string::npos)
            text.replace(point, 1, std::localeconv()->decimal_point);
        number = std::strtod(text.c_str(), nullptr);
        if (!std::isfinite(number)) {
            at_ = start;
            broken();
        }
        return out;
    }

    std::string_view text_;
    const std::filesystem::path& file_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
};

/// @throws format_error  not JSON, or nested too deeply
[[nodiscard]] inline json parsed_json(std::string_view text, const std::filesystem::path& file) {
    return json_parser(text, file).read();
}

}  // namespace detail

}  // namespace ndkeep
