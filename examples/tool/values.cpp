// SPDX-License-Identifier: BSD-3-Clause
#include "values.hpp"

#include <ndkeep/array/float16.hpp>
#include <ndkeep/format/unicode.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace tool {

namespace {

namespace nk = ndkeep;

template <class T>
[[nodiscard]] T read_one(const std::byte* from, bool swapped, std::size_t bytes = sizeof(T)) {
    std::array<std::byte, sizeof(T)> raw = {};
    std::memcpy(raw.data(), from, bytes);
    if (swapped)
        std::reverse(raw.begin(), raw.begin() + static_cast<std::ptrdiff_t>(bytes));
    T value;
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
}

template <class T, class Real>
void read_all(const std::byte* from, std::size_t stride, std::size_t count, std::size_t parts, bool swapped,
              Real* out) {
    for (std::size_t i = 0; i < count; ++i, from += stride)
        for (std::size_t part = 0; part < parts; ++part)
            *out++ = static_cast<Real>(read_one<T>(from + part * sizeof(T), swapped));
}

[[nodiscard]] bool is_swapped(const nk::dtype& type) {
    return type.order() != nk::byte_order::none && type.order() != nk::native_order;
}

void add_leaves(const nk::dtype& type, const std::string& name, std::size_t offset, std::size_t count,
                std::vector<leaf>& all) {
    if (!type.is_struct()) {
        all.push_back({name, type, offset, count});
        return;
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::string place = count == 1 ? name : name + '[' + std::to_string(i) + ']';
        for (const auto& field : type.fields())
            add_leaves(field.type, place.empty() ? field.name : place + '.' + field.name,
                       offset + i * static_cast<std::size_t>(type.size()) + static_cast<std::size_t>(field.offset),
                       static_cast<std::size_t>(field.count()), all);
    }
}

/// Days since 1970 as year, month and day (Hinnant, "chrono-compatible low-level date algorithms").
[[nodiscard]] std::string date_text(std::int64_t days) {
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const std::int64_t day_of_era = days - era * 146097;
    const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month = (5 * day_of_year + 2) / 153;
    const std::int64_t year = year_of_era + era * 400 + (month >= 10 ? 1 : 0);
    std::array<char, 64> text = {};
    std::snprintf(text.data(), text.size(), "%04lld-%02d-%02d", static_cast<long long>(year),
                  static_cast<int>(month < 10 ? month + 3 : month - 9),
                  static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1));
    return text.data();
}

[[nodiscard]] std::int64_t floor_of(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// A moment as NumPy prints it; the bare count where it is beyond what the calendar here can do.
[[nodiscard]] std::string moment_text(const nk::dtype& type, std::int64_t count) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 1000000;
    const std::string bare = std::to_string(count) + ' ' + type.unit();
    std::int64_t value = 0;
    if (type.unit().empty() || __builtin_mul_overflow(count, type.multiple(), &value))
        return bare;
    const std::string& unit = type.unit();
    const auto with_zeros = [](std::int64_t number, int width) {
        std::array<char, 32> text = {};
        std::snprintf(text.data(), text.size(), "%0*lld", width, static_cast<long long>(number));
        return std::string(text.data());
    };
    if (unit == "Y" || unit == "M") {
        if (value > most || value < -most)
            return bare;
        const std::int64_t year = 1970 + (unit == "Y" ? value : floor_of(value, 12));
        return with_zeros(year, 4) + (unit == "Y" ? "" : '-' + with_zeros(value - floor_of(value, 12) * 12 + 1, 2));
    }
    if (unit == "D" || unit == "W") {
        if (value > most || value < -most)
            return bare;
        return date_text(unit == "D" ? value : 7 * value);
    }
    struct part {
        std::string_view unit;
        std::int64_t per_second;  // 0: longer than a second
        std::int64_t seconds;
        int digits;
    };
    constexpr std::array<part, 9> parts = {{{"h", 0, 3600, 0},
                                            {"m", 0, 60, 0},
                                            {"s", 0, 1, 0},
                                            {"ms", 1000, 1, 3},
                                            {"us", 1000000, 1, 6},
                                            {"ns", 1000000000, 1, 9},
                                            {"ps", 1000000000000, 1, 12},
                                            {"fs", 1000000000000000, 1, 15},
                                            {"as", 1000000000000000000, 1, 18}}};
    const auto* const at =
        std::find_if(parts.begin(), parts.end(), [&](const part& each) { return each.unit == unit; });
    if (at == parts.end() || (at->per_second == 0 && (value > most || value < -most)))
        return bare;
    const std::int64_t seconds = at->per_second == 0 ? value * at->seconds : floor_of(value, at->per_second);
    const std::int64_t days = floor_of(seconds, 86400), rest = seconds - days * 86400;
    if (days > most || days < -most)
        return bare;
    std::string text = date_text(days) + 'T' + with_zeros(rest / 3600, 2);
    if (unit != "h")
        text += ':' + with_zeros(rest / 60 % 60, 2);
    if (unit != "h" && unit != "m")
        text += ':' + with_zeros(rest % 60, 2);
    if (at->digits != 0)
        text += '.' + with_zeros(value - floor_of(value, at->per_second) * at->per_second, at->digits);
    return text;
}

template <class T>
[[nodiscard]] std::string shortest(T value) {
    std::array<char, 64> text = {};
    const auto done = std::to_chars(text.data(), text.data() + text.size(), value);
    return {text.data(), done.ptr};
}

}  // namespace

std::vector<leaf> leaves_of(const nk::dtype& type) {
    std::vector<leaf> all;
    add_leaves(type, "", 0, 1, all);
    return all;
}

bool is_number(const nk::dtype& type) {
    return !type.is_struct() && std::string_view("biufc").find(type.kind()) != std::string_view::npos;
}

bool is_wide(const nk::dtype& type) {
    const auto bytes = type.size();
    return ((type.kind() == 'i' || type.kind() == 'u') && bytes == 8) || (type.kind() == 'f' && bytes > 8) ||
           (type.kind() == 'c' && bytes > 16);
}

std::size_t number_parts(const nk::dtype& type) { return type.kind() == 'c' ? 2 : 1; }

template <class Real>
void read_numbers(const nk::dtype& type, const std::byte* from, std::size_t stride, std::size_t count, Real* out) {
    const bool swapped = is_swapped(type);
    const std::size_t parts = number_parts(type);
    const auto read = [&]<class T>(T) { read_all<T>(from, stride, count, parts, swapped, out); };
    switch (type.kind()) {
    case 'b':
        for (std::size_t i = 0; i < count; ++i)
            out[i] = from[i * stride] != std::byte{} ? Real{1} : Real{0};
        return;
    case 'i':
        return type.size() == 1   ? read(std::int8_t{})
               : type.size() == 2 ? read(std::int16_t{})
               : type.size() == 4 ? read(std::int32_t{})
                                  : read(std::int64_t{});
    case 'u':
        return type.size() == 1   ? read(std::uint8_t{})
               : type.size() == 2 ? read(std::uint16_t{})
               : type.size() == 4 ? read(std::uint32_t{})
                                  : read(std::uint64_t{});
    default:
        break;
    }
    switch (type.size() / parts) {
    case 2:
        return read(nk::float16{});
    case 4:
        return read(float{});
    case 8:
        return read(double{});
    default:
        return read(static_cast<long double>(0));
    }
}

template void read_numbers(const nk::dtype&, const std::byte*, std::size_t, std::size_t, double*);
template void read_numbers(const nk::dtype&, const std::byte*, std::size_t, std::size_t, long double*);

std::int64_t read_time(const nk::dtype& type, const std::byte* from) {
    return read_one<std::int64_t>(from, is_swapped(type));
}

std::string read_text(const nk::dtype& type, const std::byte* from) {
    std::string text;
    if (type.kind() != 'U') {
        text.assign(reinterpret_cast<const char*>(from), static_cast<std::size_t>(type.size()));
    } else {
        for (std::size_t at = 0; at + 4 <= type.size(); at += 4) {
            const auto character = read_one<std::uint32_t>(from + at, is_swapped(type));
            nk::detail::append_utf8(text, static_cast<char32_t>(character));
        }
    }
    text.resize(text.find_last_not_of('\0') + 1);
    return text;
}

std::string number_text(long double value, std::size_t bytes) {
    if (std::isnan(value))
        return "nan";
    if (std::isinf(value))
        return value < 0 ? "-inf" : "inf";
    if (bytes == 2) {
        const auto half = nk::float16(static_cast<double>(value));
        for (int digits = 1; digits < 6; ++digits) {
            std::array<char, 32> text = {};
            std::snprintf(text.data(), text.size(), "%.*g", digits, static_cast<double>(value));
            if (nk::float16(std::strtod(text.data(), nullptr)).bits() == half.bits())
                return text.data();
        }
    }
    if (bytes <= 4)
        return shortest(static_cast<float>(value));
    return bytes <= 8 ? shortest(static_cast<double>(value)) : shortest(value);
}

std::string value_text(const nk::dtype& type, const std::byte* from) {
    std::array<long double, 2> parts = {};
    switch (type.kind()) {
    case 'b':
        return *from != std::byte{} ? "True" : "False";
    case 'i':
    case 'u':
        read_numbers(type, from, 0, 1, parts.data());
        return parts[0] < 0 ? shortest(static_cast<std::int64_t>(parts[0]))
                            : shortest(static_cast<std::uint64_t>(parts[0]));
    case 'f':
        read_numbers(type, from, 0, 1, parts.data());
        return number_text(parts[0], static_cast<std::size_t>(type.size()));
    case 'c': {
        read_numbers(type, from, 0, 1, parts.data());
        const auto bytes = static_cast<std::size_t>(type.size()) / 2;
        const std::string imaginary = number_text(parts[1], bytes);
        return number_text(parts[0], bytes) + (imaginary.front() == '-' ? "" : "+") + imaginary + 'j';
    }
    case 'M':
    case 'm': {
        const auto count = read_time(type, from);
        if (count == std::numeric_limits<std::int64_t>::min())
            return "NaT";
        return type.kind() == 'M' ? moment_text(type, count) : std::to_string(count);
    }
    case 'S':
    case 'U':
        return read_text(type, from);
    default: {
        constexpr std::string_view digits = "0123456789abcdef";
        std::string text;
        for (std::size_t i = 0; i < type.size(); ++i) {
            text += digits[static_cast<unsigned>(from[i]) >> 4];
            text += digits[static_cast<unsigned>(from[i]) & 15];
        }
        return text;
    }
    }
}

}  // namespace tool
