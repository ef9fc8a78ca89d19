// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/text/python/literal.hpp>.
#pragma once

#include <ndkeep/text/python/literal.hpp>

#include <ndkeep/text/python/scanner.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// A recursive parser, with one function for each kind of value.
class literal_reader {
  public:
    literal_reader(std::string_view text, const std::filesystem::path& file, const literal_options& options)
        : scan_(text, options.field, file, options.long_suffix), deepest_(std::min(options.nesting, python_nesting)) {}

    [[nodiscard]] literal read() {
        scan_.skip_indentation();
        literal out = value();
        if (scan_.peek() == ',')  // at the top level a tuple needs no brackets
            out = rest_of_tuple(std::move(out));
        scan_.finish();
        return out;
    }

  private:
    // CPython's own limit. It also bounds the stack of this parser if a caller raises its limit.
    static constexpr std::size_t python_nesting = 200;

    [[nodiscard]] literal value() {
        const char c = scan_.peek();
        if (c == '(' || c == '[')
            return sequence(c == '(' ? literal::kind::tuple : literal::kind::list, c == '(' ? ')' : ']');
        if (c == '{')
            return dictionary();
        if (c == '+' || c == '-')
            return signed_number(c == '-');
        if (scan_.at_number())
            return number();
        if (scan_.at_string()) {
            auto [bytes, text] = scan_.strings();
            return {.is = bytes ? literal::kind::bytes : literal::kind::text, .text = std::move(text)};
        }
        return constant();
    }

    [[nodiscard]] literal constant() {
        if (scan_.take_name("True"))
            return {.is = literal::kind::boolean, .truth = true};
        if (scan_.take_name("False"))
            return {.is = literal::kind::boolean};
        if (!scan_.take_name("None"))
            scan_.fail(scan_.here(), "a literal");
        return {};
    }

    [[nodiscard]] literal number() {
        auto [floating, too_large, magnitude, text] = scan_.number();
        return {.is = floating ? literal::kind::floating : literal::kind::integer,
                .too_large = too_large,
                .magnitude = magnitude,
                .text = std::move(text)};
    }

    // Python accepts +(2), but neither +(+2) nor ++2.
    [[nodiscard]] literal signed_number(bool negative) {
        scan_.step();
        std::size_t brackets = 0;
        for (; scan_.peek() == '('; ++brackets)
            scan_.open_bracket(deepest_);
        if (!scan_.at_number())
            scan_.fail(scan_.here(), "a number after the sign");
        literal out = number();
        for (; brackets > 0; --brackets)
            scan_.close_bracket(')');
        // An integer has no negative zero; a floating number keeps its sign in the text.
        out.negative = negative && (out.too_large || out.magnitude != 0);
        if (negative && out.is == literal::kind::floating)
            out.text.insert(0, "-");
        return out;
    }

    [[nodiscard]] literal sequence(literal::kind kind, char end) {
        scan_.open_bracket(deepest_);
        literal out{.is = kind};
        // Whether a comma came last. It also makes an empty sequence valid.
        bool comma = true;
        while (comma && scan_.peek() != end) {
            out.items.push_back(value());
            comma = scan_.peek() == ',';
            if (comma)
                scan_.step();
        }
        scan_.close_bracket(end);
        // Brackets around one value without a comma only group: (6) is 6, and (6,) is a tuple.
        if (kind == literal::kind::list || out.items.size() != 1 || comma)
            return out;
        literal alone = std::move(out.items.front());
        return alone;
    }

    [[nodiscard]] literal rest_of_tuple(literal first) {
        literal out{.is = literal::kind::tuple};
        out.items.push_back(std::move(first));
        while (scan_.peek() == ',') {
            scan_.step();
            // A comma at the end of the line ends the tuple.
            if (scan_.at_end() || is_newline(scan_.peek()))
                break;
            out.items.push_back(value());
        }
        return out;
    }

    [[nodiscard]] literal dictionary() {
        scan_.open_bracket(deepest_);
        literal out{.is = literal::kind::dictionary};
        if (std::exchange(is_outermost_, false))
            out.items.reserve(6);  // three keys and three values of a header: no reallocation
        while (scan_.peek() != '}') {
            out.items.push_back(value());
            if (scan_.peek() != ':')
                scan_.fail(scan_.here(), "':' after the key");
            // Python rejects such keys with a TypeError.
            if (!hashable(out.items.back()))
                scan_.fail("a list or dictionary as a key", "a string");
            scan_.step();
            out.items.push_back(value());
            if (scan_.peek() != ',')
                break;
            scan_.step();
        }
        scan_.close_bracket('}');
        return out;
    }

    [[nodiscard]] static bool hashable(const literal& value) {
        return value.is != literal::kind::list && value.is != literal::kind::dictionary &&
               std::all_of(value.items.begin(), value.items.end(), hashable);
    }

    literal_scanner scan_;
    std::size_t deepest_;
    bool is_outermost_ = true;
};

/// Appends a value as Python prints it, and stops soon after 200 bytes: a literal can have many items.
NDKEEP_INLINE void print_literal(std::string& out, const literal& value) {
    constexpr std::size_t longest = 200;
    const auto print_items = [&](char open, char close) {
        out += open;
        for (std::size_t i = 0; i < value.items.size() && out.size() < longest; ++i) {
            if (i > 0)
                out += value.is == literal::kind::dictionary && i % 2 == 1 ? ": " : ", ";
            print_literal(out, value.items[i]);
        }
        if (value.is == literal::kind::tuple && value.items.size() == 1)
            out += ',';
        out += close;
    };
    switch (value.is) {
    case literal::kind::none:
        out += "None";
        break;
    case literal::kind::boolean:
        out += value.truth ? "True" : "False";
        break;
    case literal::kind::integer:
        if (value.negative)
            out += '-';
        out += value.too_large ? "an integer beyond 64 bits" : std::to_string(value.magnitude);
        break;
    case literal::kind::floating:
        out += value.text;
        break;
    case literal::kind::bytes:
        out += 'b';
        [[fallthrough]];
    case literal::kind::text:
        out += python_repr(value.text);
        break;
    case literal::kind::tuple:
        print_items('(', ')');
        break;
    case literal::kind::list:
        print_items('[', ']');
        break;
    case literal::kind::dictionary:
        print_items('{', '}');
        break;
    }
}

}  // namespace detail

NDKEEP_INLINE std::string literal::str() const {
    std::string out;
    detail::print_literal(out, *this);
    std::size_t end = 200;
    if (out.size() > end) {
        while ((static_cast<unsigned char>(out[end]) & 0xc0) == 0x80)  // not inside of a character
            --end;
        out.resize(end);
        out += "…";
    }
    return out;
}

NDKEEP_INLINE literal parse_literal(std::string_view text, const std::filesystem::path& file,
                                    const literal_options& options) {
    return detail::literal_reader(text, file, options).read();
}

}  // namespace ndkeep
