// SPDX-License-Identifier: BSD-3-Clause
#include "float_text.hpp"

#include <ndkeep/element/float16.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tool {

namespace {

[[nodiscard]] std::string formatted(const char* form, int digits, long double value) {
    const int length = std::snprintf(nullptr, 0, form, digits, value);
    std::string text(static_cast<std::size_t>(std::max(length, 0)) + 1, '\0');
    std::snprintf(text.data(), text.size(), form, digits, value);
    text.pop_back();
    return text;
}

/// A decimal number d.ddd * 10^exponent without a sign.
struct decimal {
    std::string digits;  // at least one digit
    int exponent = 0;
};

[[nodiscard]] decimal decimal_of(std::string_view text) {
    const std::size_t e = text.find('e');
    decimal out;
    for (const char c : text.substr(0, e))
        if (c >= '0' && c <= '9')
            out.digits += c;
    out.exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
    while (out.digits.size() > 1 && out.digits.back() == '0')
        out.digits.pop_back();
    return out;
}

/// The shortest digits that read back as the same number of this size in bytes.
[[nodiscard]] decimal shortest(long double value, std::size_t size) {
    value = std::abs(value);
    if (size == 2) {
        const ndkeep::float16 half(static_cast<double>(value));
        for (int digits = 0;; ++digits) {
            const auto text = formatted("%.*Le", digits, value);
            constexpr int enough = 5;
            if (digits == enough || ndkeep::float16(std::strtod(text.c_str(), nullptr)).bits() == half.bits())
                return decimal_of(text);
        }
    }
    std::array<char, 64> text;
    const auto write = [&](auto number) {
        return std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific).ptr;
    };
    const char* const end = size == 4   ? write(static_cast<float>(value))
                            : size == 8 ? write(static_cast<double>(value))
                                        : write(value);
    return decimal_of({text.data(), static_cast<std::size_t>(end - text.data())});
}

[[nodiscard]] std::string sign_of(long double value, bool with_plus) {
    return std::signbit(value) ? "-" : with_plus ? "+" : "";
}

/// The text of a number in parts: before the decimal point with the sign, and after it.
struct parts {
    std::string whole, fraction;
    std::string exponent = {};  // for example "+08"
};

/// How to fill the digits before the decimal point beyond the shortest ones: with the exact digits, or with zeros.
enum class filled { exactly, with_zeros };

[[nodiscard]] parts positional(long double value, std::size_t size, int precision, bool with_plus,
                               filled rest = filled::exactly) {
    const auto number = shortest(value, size);
    const auto length = static_cast<int>(number.digits.size());
    parts out;
    if (length - 1 - number.exponent > precision) {
        auto text = formatted("%.*Lf", precision, std::abs(value));
        const std::size_t point = std::min(text.find('.'), text.size());
        out.whole = text.substr(0, point);
        out.fraction = point == text.size() ? "" : text.substr(point + 1);
        out.fraction.resize(out.fraction.find_last_not_of('0') + 1);
    } else if (number.exponent < 0) {
        out.whole = "0";
        out.fraction = std::string(static_cast<std::size_t>(-1 - number.exponent), '0') + number.digits;
    } else {
        auto digits = number.digits;
        const auto whole = static_cast<std::size_t>(number.exponent) + 1;
        if (digits.size() < whole && rest == filled::exactly)
            digits = formatted("%.*Lf", 0, std::abs(value));
        digits.resize(std::max(digits.size(), whole), '0');
        out.whole = digits.substr(0, whole);
        out.fraction = digits.substr(whole);
    }
    if (out.fraction.find_first_not_of('0') == std::string::npos)
        out.fraction.clear();
    out.whole.insert(0, sign_of(value, with_plus));
    return out;
}

/// @param least  minimum number of digits after the decimal point; digits beyond the shortest ones are exact
[[nodiscard]] parts scientific(long double value, std::size_t size, int precision, int least, bool with_plus) {
    auto number = shortest(value, size);
    const auto length = static_cast<int>(number.digits.size()) - 1;
    if (length > precision || length < least)
        number = decimal_of(formatted("%.*Le", std::min(std::max(length, least), precision), std::abs(value)));
    number.digits.resize(std::max(number.digits.size(), static_cast<std::size_t>(least) + 1), '0');
    parts out{sign_of(value, with_plus) + number.digits.substr(0, 1), number.digits.substr(1)};
    const auto exponent = std::to_string(std::abs(number.exponent));
    out.exponent = (number.exponent < 0 ? "-" : "+") + std::string(exponent.size() < 2 ? 1 : 0, '0') + exponent;
    return out;
}

[[nodiscard]] std::string padded(std::string text, std::size_t width) {
    return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

[[nodiscard]] std::string not_finite(long double value, bool with_plus) {
    if (std::isnan(value))
        return with_plus ? "+nan" : "nan";
    return sign_of(value, with_plus) + "inf";
}

/// Whether NumPy switches to scientific form. The quotient is computed in the dtype itself, whose range and precision
/// decide.
[[nodiscard]] bool is_far_apart(long double most, long double least, std::size_t size) {
    constexpr int factor = 1000;
    if (size == 2)
        return static_cast<float>(ndkeep::float16(static_cast<double>(most / least))) > factor;
    if (size == 4)
        return static_cast<float>(most) / static_cast<float>(least) > factor;
    if (size == 8)
        return static_cast<double>(most) / static_cast<double>(least) > factor;
    return most / least > factor;
}

}  // namespace

float_layout::float_layout(const std::vector<long double>& values, std::size_t size, int precision, bool with_plus)
    : size_(size), precision_(precision), with_plus_(with_plus) {
    long double most = 0, least = 0;
    bool has_finite = false, has_others = false, has_negative_infinity = false;
    for (const long double value : values) {
        if (!std::isfinite(value)) {
            has_others = true;
            has_negative_infinity = has_negative_infinity || (std::isinf(value) && value < 0);
            continue;
        }
        has_finite = true;
        const long double magnitude = std::abs(value);
        if (magnitude == 0)
            continue;
        most = std::max(most, magnitude);
        least = least == 0 ? magnitude : std::min(least, magnitude);
    }
    is_scientific_ =
        most != 0 && (most >= 1e8L || static_cast<double>(least) < 0.0001 || is_far_apart(most, least, size));
    if (has_finite)
        exponent_ = is_scientific_ ? 0 : exponent_;
    for (const long double value : values) {
        if (!std::isfinite(value))
            continue;
        const auto text = is_scientific_ ? scientific(value, size, precision, 0, with_plus)
                                         : positional(value, size, precision, with_plus);
        left_ = std::max(left_, text.whole.size());
        fraction_ = std::max(fraction_, static_cast<int>(text.fraction.size()));
        if (is_scientific_)
            exponent_ = std::max(exponent_, text.exponent.size() - 1);
    }
    right_ = static_cast<std::size_t>(fraction_) + (is_scientific_ ? exponent_ + 2 : 0);
    if (has_others) {
        const std::size_t infinity = has_negative_infinity || with_plus ? 4 : 3, nan = 3;
        const std::size_t widest = std::max(nan, infinity);
        left_ = std::max(left_, widest > right_ + 1 ? widest - right_ - 1 : 0);
    }
}

std::string float_layout::text(long double value) const {
    if (!std::isfinite(value))
        return padded(not_finite(value, with_plus_), left_ + right_ + 1);
    if (!is_scientific_) {
        auto number = positional(value, size_, precision_, with_plus_);
        number.fraction.resize(std::max(right_, number.fraction.size()), ' ');
        return padded(number.whole, left_) + '.' + number.fraction;
    }
    const auto number = scientific(value, size_, fraction_, fraction_, with_plus_);
    const auto& exponent = number.exponent;
    const std::size_t zeros = exponent_ + 1 > exponent.size() ? exponent_ + 1 - exponent.size() : 0;
    return padded(number.whole, left_) + '.' + number.fraction + 'e' + exponent.front() + std::string(zeros, '0') +
           exponent.substr(1);
}

namespace {

constexpr int any_precision = 1 << 20;

[[nodiscard]] std::string lone_text(long double value, std::size_t size, bool with_plus,
                                    std::string_view whole_ending) {
    if (!std::isfinite(value))
        return not_finite(value, with_plus);
    const long double magnitude = std::abs(value);
    constexpr long double largest = 1e16L;
    if (magnitude != 0 && (magnitude >= largest || static_cast<double>(magnitude) < 1e-4)) {
        const auto number = scientific(value, size, any_precision, 0, with_plus);
        return number.whole + (number.fraction.empty() ? "" : '.' + number.fraction) + 'e' + number.exponent;
    }
    const auto number = positional(value, size, any_precision, with_plus, filled::with_zeros);
    return number.whole + (number.fraction.empty() ? std::string(whole_ending) : '.' + number.fraction);
}

}  // namespace

std::string scalar_text(long double value, std::size_t size) { return lone_text(value, size, false, ".0"); }

std::string complex_text(long double real, long double imaginary, std::size_t size) {
    if (real == 0 && !std::signbit(real))
        return lone_text(imaginary, size, false, "") + 'j';
    return '(' + lone_text(real, size, false, "") + lone_text(imaginary, size, true, "") + "j)";
}

}  // namespace tool
