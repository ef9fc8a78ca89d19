// SPDX-License-Identifier: BSD-3-Clause
#include "time_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tool {

namespace {

namespace nk = ndkeep;

/// Converts days since 1970 to a date of the proleptic Gregorian calendar (algorithm: Howard Hinnant's
/// civil_from_days).
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
    std::int64_t per_day;     // 0: use per_second
    std::int64_t per_second;  // 0: the unit is longer than a second
    int digits;               // digits after the decimal point of the seconds
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

}  // namespace

std::string date_text(const nk::dtype& type, std::int64_t count) {
    if (count == not_a_time)
        return "NaT";
    std::int64_t units = 0;
    // Counts near the limits of 64 bits would overflow in the calendar arithmetic. A margin of 2^56 is more than it
    // adds.
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

std::string lone_time(const nk::dtype& type, std::int64_t count) {
    if (type.kind() == 'M' || count == not_a_time)
        return date_text(type, count);
    constexpr std::array<std::array<std::string_view, 2>, 13> names = {{{"Y", "years"},
                                                                        {"M", "months"},
                                                                        {"W", "weeks"},
                                                                        {"D", "days"},
                                                                        {"h", "hours"},
                                                                        {"m", "minutes"},
                                                                        {"s", "seconds"},
                                                                        {"ms", "milliseconds"},
                                                                        {"us", "microseconds"},
                                                                        {"ns", "nanoseconds"},
                                                                        {"ps", "picoseconds"},
                                                                        {"fs", "femtoseconds"},
                                                                        {"as", "attoseconds"}}};
    std::int64_t units = 0;
    if (__builtin_mul_overflow(count, type.multiple(), &units))
        return std::to_string(count);
    for (const auto& [unit, name] : names)
        if (unit == type.unit())
            return std::to_string(units) + ' ' + std::string(name);
    return std::to_string(units) + " generic time units";
}

}  // namespace tool
