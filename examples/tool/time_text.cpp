// SPDX-License-Identifier: BSD-3-Clause
#include "time_text.hpp"

#include <ndkeep/format/time_unit.hpp>

#include <algorithm>
#include <array>
#include <charconv>
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

__extension__ typedef __int128 wide_count;  // holds a date of any year of 64 bits in any unit

/// Days since 1970 of a date of the proleptic Gregorian calendar (algorithm: Howard Hinnant's days_from_civil).
[[nodiscard]] wide_count days_of(wide_count year, int month, int day) {
    year -= month <= 2 ? 1 : 0;
    const wide_count era = (year >= 0 ? year : year - 399) / 400;
    const wide_count year_of_era = year - era * 400;
    const int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

/// The parts of a date as written.
struct written_date {
    std::int64_t year = 0;
    int month = 1, day = 1, hour = 0, minute = 0, second = 0;
    std::int64_t fraction = 0;             ///< in attoseconds
    const nk::core::time_unit* unit = {};  ///< the finest that is written
};

/// Reads the parts of a date from its text, one by one.
class date_reader {
  public:
    explicit date_reader(std::string_view text) : rest_(text) {}

    [[nodiscard]] std::optional<written_date> read() {
        written_date out;
        const bool fine = take_year(out) && (rest_.empty() || take_day(out));
        return fine && rest_.empty() ? std::optional(out) : std::nullopt;
    }

  private:
    [[nodiscard]] bool take_year(written_date& out) {
        const bool is_negative = rest_.starts_with('-');
        const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out.year);
        const auto length = static_cast<std::size_t>(end - rest_.data());
        rest_.remove_prefix(problem == std::errc() ? length : 0);
        out.unit = nk::core::find_unit("Y");
        return problem == std::errc() && length >= 4 && (!is_negative || out.year < 0);
    }
    [[nodiscard]] bool take_day(written_date& out) {
        if (!take('-', 1, 12, "M", out.month, out))
            return false;
        if (rest_.empty())
            return true;
        const bool is_december = out.month == 12;
        const auto days = days_of(out.year + wide_count(is_december ? 1 : 0), is_december ? 1 : out.month + 1, 1) -
                          days_of(out.year, out.month, 1);
        return take('-', 1, static_cast<int>(days), "D", out.day, out) && (rest_.empty() || take_time(out));
    }
    [[nodiscard]] bool take_time(written_date& out) {
        if (!take(rest_.front() == ' ' ? ' ' : 'T', 0, 23, "h", out.hour, out))
            return false;
        if (rest_.empty())
            return true;
        if (!take(':', 0, 59, "m", out.minute, out))
            return false;
        if (rest_.empty())
            return true;
        return take(':', 0, 59, "s", out.second, out) && (rest_.empty() || take_fraction(out));
    }
    [[nodiscard]] bool take_fraction(written_date& out) {
        constexpr std::size_t most = 18;
        static constexpr std::array<std::string_view, 6> units = {"ms", "us", "ns", "ps", "fs", "as"};
        if (rest_.front() != '.' || rest_.size() < 2 || rest_.size() > most + 1 ||
            rest_.find_first_not_of("0123456789", 1) != std::string_view::npos)
            return false;
        const std::size_t digits = rest_.size() - 1;
        for (std::size_t i = 0; i < most; ++i)
            out.fraction = 10 * out.fraction + (i < digits ? rest_[i + 1] - '0' : 0);
        out.unit = nk::core::find_unit(units[(digits - 1) / 3]);
        rest_ = {};
        return true;
    }
    /// Takes a separator and two digits.
    [[nodiscard]] bool take(char separator, int least, int most, std::string_view unit, int& number,
                            written_date& out) {
        const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
        if (rest_.size() < 3 || rest_[0] != separator || !is_digit(rest_[1]) || !is_digit(rest_[2]))
            return false;
        number = 10 * (rest_[1] - '0') + (rest_[2] - '0');
        rest_.remove_prefix(3);
        out.unit = nk::core::find_unit(unit);
        return number >= least && number <= most;
    }

    std::string_view rest_;
};

/// A quotient without a remainder.
[[nodiscard]] std::optional<wide_count> exact_quotient(wide_count number, wide_count by) {
    return number % by == 0 ? std::optional(number / by) : std::nullopt;
}

/// The date in this unit of time.
[[nodiscard]] std::optional<wide_count> counted_in(const nk::core::time_unit& unit, const written_date& date) {
    const auto days = days_of(date.year, date.month, date.day);
    const std::int64_t in_day = 3600 * date.hour + 60 * date.minute + date.second;
    if (unit.name == "Y" || unit.name == "M") {
        if (in_day != 0 || date.fraction != 0 || date.day != 1)
            return std::nullopt;
        const wide_count months = (wide_count(date.year) - 1970) * 12 + (date.month - 1);
        return unit.name == "M" ? months : exact_quotient(months, 12);
    }
    const wide_count seconds = days * 86400 + in_day;
    constexpr std::int64_t attoseconds = 1'000'000'000'000'000'000;
    if (unit.per_second == 1)
        return date.fraction == 0 ? exact_quotient(seconds, unit.seconds) : std::nullopt;
    // Beyond this, no unit below a second has a count of 64 bits, and the product could exceed 128.
    constexpr std::int64_t farthest = std::int64_t{1} << 60;
    const auto parts = exact_quotient(date.fraction, attoseconds / unit.per_second);
    if (seconds > farthest || seconds < -farthest || !parts)
        return std::nullopt;
    return seconds * unit.per_second + *parts;
}

}  // namespace

std::optional<std::string_view> unit_of_date(std::string_view text) {
    const auto date = date_reader(text).read();
    return date && date->unit->name != "Y" ? std::optional(date->unit->name) : std::nullopt;
}

std::optional<std::int64_t> date_count(const nk::dtype& type, std::string_view text) {
    if (text == "NaT")
        return not_a_time;
    const auto* const unit = nk::core::find_unit(type.unit());
    if (unit == nullptr) {  // a date without a unit is written as its count
        std::int64_t count = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
        return problem == std::errc() && end == text.data() + text.size() ? std::optional(count) : std::nullopt;
    }
    const auto date = date_reader(text).read();
    // A longer number without a month can be the count of a date that has no place in the calendar.
    constexpr std::int64_t last_lone_year = 1'000'000'000;
    if (!date || (date->unit->name == "Y" && (date->year > last_lone_year || date->year < -last_lone_year)))
        return std::nullopt;
    const auto units = counted_in(*unit, *date);
    const auto count = units ? exact_quotient(*units, type.multiple()) : std::nullopt;
    if (!count || *count > std::numeric_limits<std::int64_t>::max() || *count <= not_a_time)
        return std::nullopt;
    return static_cast<std::int64_t>(*count);
}

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
