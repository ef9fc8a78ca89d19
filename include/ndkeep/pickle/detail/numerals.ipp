// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/numerals.hpp>.
#pragma once

#include <ndkeep/pickle/detail/numerals.hpp>

#include <ndkeep/text/ascii.hpp>
#include <ndkeep/text/unicode.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE bool is_decimal(std::string_view text) {
    if (text.starts_with('-'))
        text.remove_prefix(1);
    constexpr std::size_t most = 4300;  // as Python
    return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), is_digit);
}

NDKEEP_INLINE std::string decimal_of_long(std::string_view bytes) {
    const bool is_negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
    // The magnitude: of a negative number, the complement and one.
    std::vector<std::uint32_t> groups = {0};  // nine digits each, the lowest first
    constexpr std::uint64_t base = 1'000'000'000;
    const auto add = [&](std::uint64_t factor, std::uint64_t carry) {
        for (auto& group : groups) {
            carry += group * factor;
            group = static_cast<std::uint32_t>(carry % base);
            carry /= base;
        }
        if (carry != 0)
            groups.push_back(static_cast<std::uint32_t>(carry));
    };
    for (auto i = bytes.size(); i-- > 0;) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        add(256, is_negative ? 255U - byte : byte);
    }
    if (is_negative)
        add(1, 1);
    std::string text = is_negative ? "-" : "";
    text += std::to_string(groups.back());
    for (auto i = groups.size() - 1; i-- > 0;) {
        const auto digits = std::to_string(groups[i]);
        text.append(9 - digits.size(), '0');
        text += digits;
    }
    return text;
}

NDKEEP_INLINE std::optional<double> float_of_line(std::string_view line) {
    using range = std::numeric_limits<double>;
    if (line == "nan" || line == "-nan")
        return range::quiet_NaN();
    if (line == "inf")
        return range::infinity();
    if (line == "-inf")
        return -range::infinity();
    constexpr std::size_t longest = 400;
    if (line.size() > longest || line.find_first_not_of("0123456789+-.eE") != std::string_view::npos)
        return std::nullopt;
    const auto number = nlohmann::json::parse(line, nullptr, false);
    return number.is_number() ? std::optional(number.get<double>()) : std::nullopt;
}

/// The value of hexadecimal digits at the beginning of a text; nullopt if there are fewer.
[[nodiscard]] inline std::optional<std::uint32_t> hexadecimal_at(std::string_view text, std::size_t digits) {
    if (text.size() < digits)
        return std::nullopt;
    std::uint32_t value = 0;
    for (const char each : text.substr(0, digits)) {
        const auto found = std::string_view("0123456789abcdefABCDEF").find(each);
        if (found == std::string_view::npos)
            return std::nullopt;
        value = value * 16 + static_cast<std::uint32_t>(found < 16 ? found : found - 6);
    }
    return value;
}

NDKEEP_INLINE std::optional<std::string> text_of_repr(std::string_view line) {
    while (line.ends_with('\r') || line.ends_with(' '))
        line.remove_suffix(1);
    if (line.size() < 2 || (line[0] != '\'' && line[0] != '"') || line.back() != line[0])
        return std::nullopt;
    line = line.substr(1, line.size() - 2);
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '\\') {
            out += line[i];
            continue;
        }
        if (++i == line.size())
            return std::nullopt;
        constexpr std::string_view names = "\\'\"abfnrtv", meant = "\\'\"\a\b\f\n\r\t\v";
        if (const auto at = names.find(line[i]); at != std::string_view::npos) {
            out += meant[at];
        } else if (line[i] == 'x') {
            const auto value = hexadecimal_at(line.substr(i + 1), 2);
            if (!value)
                return std::nullopt;
            out += static_cast<char>(*value);
            i += 2;
        } else if (line[i] >= '0' && line[i] <= '7') {
            unsigned value = 0, digits = 0;
            while (digits < 3 && i < line.size() && line[i] >= '0' && line[i] <= '7') {
                value = value * 8 + static_cast<unsigned>(line[i++] - '0');
                ++digits;
            }
            --i;
            out += static_cast<char>(value);
        } else {
            out += '\\';
            out += line[i];
        }
    }
    return out;
}

NDKEEP_INLINE std::optional<std::string> text_of_escapes(std::string_view line) {
    std::string out;
    std::uint32_t high = 0;  // the first half of a surrogate pair
    for (std::size_t i = 0; i < line.size(); ++i) {
        std::uint32_t point = static_cast<unsigned char>(line[i]);
        if (line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'u' || line[i + 1] == 'U')) {
            const std::size_t digits = line[i + 1] == 'u' ? 4 : 8;
            const auto value = hexadecimal_at(line.substr(i + 2), digits);
            if (!value)
                return std::nullopt;
            point = *value;
            i += digits + 1;
        }
        // Pairs of halves are one character, as Python 2 writes it. A lone half stays.
        const bool is_low = point >= 0xdc00 && point < 0xe000;
        if (high != 0 && is_low)
            point = 0x10000 + ((high - 0xd800) << 10) + (point - 0xdc00);
        else if (high != 0)
            append_utf8(out, high);
        high = point >= 0xd800 && point < 0xdc00 ? point : 0;
        if (point > 0x10ffff)
            return std::nullopt;
        if (high == 0)
            append_utf8(out, point);
    }
    if (high != 0)
        append_utf8(out, high);
    return out;
}

}  // namespace ndkeep::detail
