// SPDX-License-Identifier: BSD-3-Clause
#include "time_text.hpp"

#include <ndkeep/format/time_unit.hpp>

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

[[nodiscard]] std::string time_text(const nk::core::time_unit& unit, std::int64_t count) {
    const auto parted = [](std::int64_t& number, std::int64_t by) {
        std::int64_t rest = number % by;
        number = number / by - (rest < 0 ? 1 : 0);
        return rest < 0 ? rest + by : rest;
    };
    int digits = 0;  // after the decimal point of the seconds
    for (std::int64_t rest = unit.per_second; rest > 1; rest /= 10)
        ++digits;
    const std::int64_t fraction = digits == 0 ? 0 : parted(count, unit.per_second);
    const std::int64_t in_day = parted(count, 86400 / unit.seconds);
    std::string out = day_text(count);
    const auto pair = [](std::int64_t number) { return printed("%02lld", static_cast<long long>(number)); };
    if (unit.name == "h")
        return out + 'T' + pair(in_day);
    if (unit.name == "m")
        return out + 'T' + pair(in_day / 60) + ':' + pair(in_day % 60);
    out += 'T' + pair(in_day / 3600) + ':' + pair(in_day / 60 % 60) + ':' + pair(in_day % 60);
    return digits == 0 ? out : out + printed(".%0*lld", digits, static_cast<long long>(fraction));
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
    const auto* const known = nk::core::find_unit(unit);
    return known == nullptr ? std::to_string(count) : time_text(*known, units);
}

std::string lone_time(const nk::dtype& type, std::int64_t count) {
    if (type.kind() == 'M' || count == not_a_time)
        return date_text(type, count);
    std::int64_t units = 0;
    if (__builtin_mul_overflow(count, type.multiple(), &units))
        return std::to_string(count);
    const auto* const unit = nk::core::find_unit(type.unit());
    return std::to_string(units) + ' ' + std::string(unit == nullptr ? "generic time units" : unit->plural);
}

}  // namespace tool
