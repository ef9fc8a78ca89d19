// SPDX-License-Identifier: BSD-3-Clause
#include "elements.hpp"

#include "output.hpp"

#include <ndkeep/array/convert.hpp>
#include <ndkeep/array/float16.hpp>
#include <ndkeep/array/strided.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace tool {

namespace {

namespace nk = ndkeep;

constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();

template <class T>
[[nodiscard]] T value_at(const std::byte* value) {
    T out;
    std::memcpy(&out, value, sizeof(T));
    return out;
}

void add_leaves(std::vector<leaf>& out, leaf part) {
    if (!part.type.is_struct()) {
        if (part.type.size() == 0) {  // one nothing stands for as many as one likes
            part.shape.clear();
            part.strides.clear();
        }
        return out.push_back(std::move(part));
    }
    for (const auto& field : part.type.fields()) {
        leaf inner = part;
        inner.path += (part.path.empty() ? "" : ".") + field.name;
        inner.type = field.type;
        inner.offset += static_cast<std::size_t>(field.offset);
        const auto strides = nk::detail::strides_of(field.shape, static_cast<std::size_t>(field.type.size()), false);
        inner.shape.insert(inner.shape.end(), field.shape.begin(), field.shape.end());
        inner.strides.insert(inner.strides.end(), strides.begin(), strides.end());
        add_leaves(out, std::move(inner));
    }
}

/// Whole days since 1970 as a date of the proleptic Gregorian calendar (Howard Hinnant's civil_from_days).
struct civil_date {
    std::int64_t year;
    unsigned month, day;
};
[[nodiscard]] civil_date date_of(std::int64_t days) {
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const auto day_of_era = static_cast<unsigned>(days - era * 146097);
    const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned shifted = (5 * day_of_year + 2) / 153;
    const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
    return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month,
            day_of_year - (153 * shifted + 2) / 5 + 1};
}

template <class... Number>
[[nodiscard]] std::string printed(const char* form, Number... numbers) {
    std::array<char, 96> text = {};
    const int length = std::snprintf(text.data(), text.size(), form, numbers...);
    return {text.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), text.size() - 1)};
}

[[nodiscard]] std::string year_text(std::int64_t year) { return printed("%04lld", static_cast<long long>(year)); }

[[nodiscard]] std::string day_text(std::int64_t days) {
    const auto date = date_of(days);
    return year_text(date.year) + printed("-%02u-%02u", date.month, date.day);
}

struct unit_of_day {
    std::string_view name;
    std::int64_t per_day;     // 0: per second
    std::int64_t per_second;  // 0: longer than one
    int digits;               // behind the second
};
constexpr std::array<unit_of_day, 9> units_of_day = {{
    {"h", 24, 0, 0},
    {"m", 1440, 0, 0},
    {"s", 86400, 1, 0},
    {"ms", 0, 1'000, 3},
    {"us", 0, 1'000'000, 6},
    {"ns", 0, 1'000'000'000, 9},
    {"ps", 0, 1'000'000'000'000, 12},
    {"fs", 0, 1'000'000'000'000'000, 15},
    {"as", 0, 1'000'000'000'000'000'000, 18},
}};

[[nodiscard]] std::string time_text(const unit_of_day& unit, std::int64_t count) {
    const auto parted = [](std::int64_t& number, std::int64_t by) {
        std::int64_t rest = number % by;
        number = number / by - (rest < 0 ? 1 : 0);
        return rest < 0 ? rest + by : rest;
    };
    const std::int64_t fraction = unit.digits == 0 ? 0 : parted(count, unit.per_second);
    const std::int64_t in_day = parted(count, unit.per_day == 0 ? 86400 : unit.per_day);
    std::string out = day_text(count);
    const auto pair = [](std::int64_t number) { return printed("%02lld", static_cast<long long>(number)); };
    if (unit.name == "h")
        return out + 'T' + pair(in_day);
    if (unit.name == "m")
        return out + 'T' + pair(in_day / 60) + ':' + pair(in_day % 60);
    out += 'T' + pair(in_day / 3600) + ':' + pair(in_day / 60 % 60) + ':' + pair(in_day % 60);
    return unit.digits == 0 ? out : out + printed(".%0*lld", unit.digits, static_cast<long long>(fraction));
}

[[nodiscard]] std::string utf8(std::string text) { return nk::detail::is_utf8(text) ? text : shown(text); }

}  // namespace

std::size_t leaf::count() const { return nk::detail::product(shape); }

std::vector<leaf> leaves_of(const nk::dtype& type) {
    std::vector<leaf> out;
    add_leaves(out, {.type = type});
    return out;
}

column column_of(const leaf& part, const std::byte* elements, std::size_t item, std::size_t count) {
    const auto size = static_cast<std::size_t>(part.type.size());
    column out{.type = part.type.native(), .shape = part.shape, .count = count * part.count()};
    out.bytes = nk::detail::buffer(out.count * size);
    if (out.bytes.size() == 0)
        return out;
    auto shape = part.shape;
    auto strides = part.strides;
    shape.insert(shape.begin(), count);
    strides.insert(strides.begin(), static_cast<std::ptrdiff_t>(item));
    nk::detail::copy_strided(out.bytes.data(), nk::detail::strides_of(shape, size, false), elements + part.offset,
                             strides, shape, size);
    if (!part.type.is_native()) {
        const std::size_t width = nk::detail::swap_width(part.type);
        nk::detail::swap_bytes(out.bytes.data(), out.bytes.data(), out.count * (size / width), width);
    }
    return out;
}

bool is_number(const nk::dtype& type) {
    return !type.is_struct() && type.kind() != 'S' && type.kind() != 'U' && type.kind() != 'V';
}

std::int64_t integer_at(const nk::dtype& type, const std::byte* value) {
    switch (type.size()) {
    case 1:
        return value_at<std::int8_t>(value);
    case 2:
        return value_at<std::int16_t>(value);
    case 4:
        return value_at<std::int32_t>(value);
    default:
        return value_at<std::int64_t>(value);
    }
}

std::uint64_t unsigned_at(const nk::dtype& type, const std::byte* value) {
    switch (type.size()) {
    case 1:
        return value_at<std::uint8_t>(value);
    case 2:
        return value_at<std::uint16_t>(value);
    case 4:
        return value_at<std::uint32_t>(value);
    default:
        return value_at<std::uint64_t>(value);
    }
}

long double real_at(std::size_t size, const std::byte* value) {
    switch (size) {
    case 2:
        return static_cast<float>(nk::float16::from_bits(value_at<std::uint16_t>(value)));
    case 4:
        return value_at<float>(value);
    case 8:
        return value_at<double>(value);
    default: {
        long double out = 0;
        std::memcpy(&out, value, std::min(size, sizeof out));
        return out;
    }
    }
}

double number_at(const nk::dtype& type, const std::byte* value) {
    const auto size = static_cast<std::size_t>(type.size());
    switch (type.kind()) {
    case 'b':
        return *value != std::byte{0} ? 1 : 0;
    case 'i':
        return static_cast<double>(integer_at(type, value));
    case 'u':
        return static_cast<double>(unsigned_at(type, value));
    case 'f':
        return static_cast<double>(real_at(size, value));
    case 'c':
        return std::hypot(static_cast<double>(real_at(size / 2, value)),
                          static_cast<double>(real_at(size / 2, value + size / 2)));
    case 'M':
    case 'm': {
        const auto count = value_at<std::int64_t>(value);
        return count == not_a_time ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(count);
    }
    default:
        return std::numeric_limits<double>::quiet_NaN();
    }
}

std::string json_at(const nk::dtype& type, const std::byte* value) {
    const auto size = static_cast<std::size_t>(type.size());
    switch (type.kind()) {
    case 'b':
        return *value != std::byte{0} ? "true" : "false";
    case 'i':
        return std::to_string(integer_at(type, value));
    case 'u':
        return std::to_string(unsigned_at(type, value));
    case 'f':
        return nk::detail::json_text(static_cast<double>(real_at(size, value)));
    case 'c':
        return '[' + nk::detail::json_text(static_cast<double>(real_at(size / 2, value))) + ", " +
               nk::detail::json_text(static_cast<double>(real_at(size / 2, value + size / 2))) + ']';
    case 'M':
    case 'm': {
        const auto count = value_at<std::int64_t>(value);
        if (count == not_a_time)
            return "null";
        return type.kind() == 'm' ? std::to_string(count) : '"' + date_text(type, count) + '"';
    }
    case 'S':
    case 'U':
        return nk::detail::json_text(utf8(text_at(type, value)));
    default: {
        std::string digits;
        for (std::size_t i = 0; i < size; ++i)
            digits += printed("%02x", static_cast<unsigned>(value[i]));
        return '"' + digits + '"';
    }
    }
}

std::string json_of_element(const nk::dtype& type, const std::byte* element) {
    if (!type.is_struct()) {
        column value = column_of({.type = type}, element, static_cast<std::size_t>(type.size()), 1);
        return json_at(value.type, value.bytes.data());
    }
    json_object out;
    for (const auto& field : type.fields()) {
        const auto item = static_cast<std::size_t>(field.type.size());
        const std::byte* at = element + field.offset;
        const auto list_of = [&](const auto& self, std::size_t axis) -> std::string {
            if (axis == field.shape.size()) {
                const std::byte* const here = at;
                at += item;
                return json_of_element(field.type, here);
            }
            json_list items;
            for (std::size_t i = 0; item != 0 && i < field.shape[axis]; ++i)
                items.add_json(self(self, axis + 1));
            return items.str();
        };
        out.add_json(utf8(field.name), list_of(list_of, 0));
    }
    return out.str();
}

std::string date_text(const nk::dtype& type, std::int64_t count) {
    if (count == not_a_time)
        return "NaT";
    std::int64_t units = 0;
    // A margin of 2^56 is far beyond what the calendar adds to any count.
    constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max() - (std::int64_t{1} << 56);
    const auto& unit = type.unit();
    const bool is_long = unit == "Y" || unit == "M" || unit == "W" || unit == "D";
    if (unit.empty() || __builtin_mul_overflow(count, type.multiple(), &units))
        return std::to_string(count);
    if (is_long && (units > largest || units < -largest || (unit == "W" && std::abs(units) > largest / 7)))
        return std::to_string(count);
    if (unit == "Y")
        return year_text(1970 + units);
    if (unit == "M") {
        const std::int64_t month = (units % 12 + 12) % 12;
        return year_text(1970 + (units - month) / 12) + printed("-%02lld", static_cast<long long>(month + 1));
    }
    if (unit == "W" || unit == "D")
        return day_text(unit == "W" ? 7 * units : units);
    for (const auto& each : units_of_day)
        if (each.name == unit)
            return time_text(each, units);
    return std::to_string(count);
}

std::string text_at(const nk::dtype& type, const std::byte* value) {
    const auto size = static_cast<std::size_t>(type.size());
    std::string out;
    if (type.kind() == 'U') {
        std::size_t length = size / 4;
        while (length != 0 && value_at<std::uint32_t>(value + 4 * (length - 1)) == 0)
            --length;
        for (std::size_t i = 0; i < length; ++i) {
            const auto character = value_at<std::uint32_t>(value + 4 * i);
            if (character <= 0x10ffff)
                nk::detail::append_utf8(out, character);
            else  // no character at all, and its bits are what there is to say of it
                out += printed("\\U%08x", static_cast<unsigned>(character));
        }
        return out;
    }
    out.assign(reinterpret_cast<const char*>(value), size);
    out.resize(out.find_last_not_of('\0') + 1);
    return out;
}

}  // namespace tool
