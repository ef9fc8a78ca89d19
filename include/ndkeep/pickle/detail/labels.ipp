// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/labels.hpp>.
#pragma once

#include <ndkeep/pickle/detail/labels.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/text/unicode.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The shortest text that gives the number back, with the exponent where Python has one.
template <class Float>
[[nodiscard]] std::string python_text_of(Float value) {
    if (is_nan(value))
        return "nan";
    if (!is_finite(value))
        return value < 0 ? "-inf" : "inf";
    std::array<char, 64> digits;
    const auto magnitude = value < 0 ? -value : value;
    const bool is_plain = magnitude == 0 || (magnitude >= Float(1e-4) && magnitude < Float(1e16));
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                   is_plain ? std::chars_format::fixed : std::chars_format::scientific)
                         .ptr;
    std::string text(digits.data(), end);
    return is_plain && text.find('.') == std::string::npos ? text + ".0" : text;
}

NDKEEP_INLINE std::string python_text(double value) { return python_text_of(value); }

/// A date or time of datetime64 as Python's str; nullopt for units that datetime does not have.
[[nodiscard]] inline std::optional<std::string> date_text(const dtype& type, std::int64_t count) {
    using namespace std::chrono;
    struct unit {
        std::string_view name;
        std::int64_t seconds, in_second;  // seconds of one, or how many are one second
        unsigned digits;
    };
    static constexpr std::array<unit, 7> units = {{{"D", 86'400, 1, 0},
                                                   {"h", 3600, 1, 0},
                                                   {"m", 60, 1, 0},
                                                   {"s", 1, 1, 0},
                                                   {"ms", 1, 1'000, 3},
                                                   {"us", 1, 1'000'000, 6},
                                                   {"ns", 1, 1'000'000'000, 9}}};
    if (count == std::numeric_limits<std::int64_t>::min())
        return "NaT";
    for (const auto& each : units) {
        if (type.unit() != each.name || type.multiple() != 1)
            continue;
        constexpr std::int64_t most = 400'000'000'000;  // seconds, beyond the year 9999
        auto fraction = count % each.in_second;
        auto whole = count / each.in_second;
        if (whole > most / each.seconds || whole < -most / each.seconds)
            return std::nullopt;
        whole *= each.seconds;
        if (fraction < 0) {
            fraction += each.in_second;
            --whole;
        }
        const auto day = floor<days>(seconds(whole));
        const year_month_day date{sys_days(day)};
        if (!date.ok() || date.year() < year(0) || date.year() > year(9999))
            return std::nullopt;
        const auto padded = [](std::int64_t value, unsigned width) {
            auto text = std::to_string(value);
            return text.size() < width ? std::string(width - text.size(), '0') + text : text;
        };
        std::string text = padded(static_cast<int>(date.year()), 4) + '-' +
                           padded(static_cast<unsigned>(date.month()), 2) + '-' +
                           padded(static_cast<unsigned>(date.day()), 2);
        if (each.name == "D")
            return text;
        const auto of_day = (seconds(whole) - day).count();
        text += ' ' + padded(of_day / 3600, 2) + ':' + padded(of_day / 60 % 60, 2) + ':' + padded(of_day % 60, 2);
        if (fraction != 0)
            text += '.' + (each.digits == 9 && fraction % 1'000 == 0 ? padded(fraction / 1'000, 6)
                                                                     : padded(fraction, each.digits));
        return text;
    }
    return std::nullopt;
}

NDKEEP_INLINE std::optional<std::string> label_text(const any_array& array, std::size_t at) {
    const auto type = array.type().native();
    std::vector<std::byte> bytes(static_cast<std::size_t>(type.size()));
    conversion(array.type(), type).run(bytes.data(), array.bytes().data() + at * bytes.size(), 1);
    if (type.kind() == 'S' || type.kind() == 'U') {
        std::string text;
        const std::size_t item = type.kind() == 'S' ? 1 : sizeof(char32_t);
        std::size_t end = bytes.size();
        for (; end != 0 && bytes[end - 1] == std::byte{0}; --end) {
        }
        for (std::size_t i = 0; i < end; i += item) {
            char32_t character = std::to_integer<unsigned char>(bytes[i]);
            if (item != 1)
                std::memcpy(&character, bytes.data() + i, item);
            if (character > 0x10ffff)
                return std::nullopt;
            core::append_utf8(text, character);
        }
        return text;
    }
    std::optional<std::string> text;
    (void)core::with_element_type(type, [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_same_v<T, bool>) {
            text = bytes[0] != std::byte{0} ? "True" : "False";
        } else if constexpr (std::is_integral_v<T>) {
            T value;
            std::memcpy(&value, bytes.data(), sizeof(T));
            text = std::to_string(value);
        } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
            T value;
            std::memcpy(&value, bytes.data(), sizeof(T));
            text = python_text_of(value);
        } else if constexpr (std::is_same_v<T, float16>) {
            T value;
            std::memcpy(&value, bytes.data(), sizeof(T));
            text = python_text_of(static_cast<float>(value));
        }
    });
    if (type.kind() == 'M') {
        std::int64_t count = 0;
        std::memcpy(&count, bytes.data(), sizeof(count));
        return date_text(type, count);
    }
    return type.is_time() ? std::nullopt : text;
}

}  // namespace ndkeep::detail
