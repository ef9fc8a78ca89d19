// SPDX-License-Identifier: BSD-3-Clause
#include "time_text.hpp"

#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/format/time_unit.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>

namespace tool {

namespace {

namespace nk = ndkeep;

using nk::core::wide_count;  // holds every count of 64 bits in every unit, also as seconds

/// The month of this number in a year of the proleptic Gregorian calendar, counted from January 1970.
[[nodiscard]] wide_count month_of(wide_count year, int month) { return (year - 1970) * 12 + (month - 1); }

template <class... Number>
[[nodiscard]] std::string printed(const char* form, Number... numbers) {
    std::array<char, 96> text = {};
    const int length = std::snprintf(text.data(), text.size(), form, numbers...);
    return {text.data(), std::min(static_cast<std::size_t>(std::max(length, 0)), text.size() - 1)};
}

/// @param width  of the result at least, with the sign; the number is padded with zeros
[[nodiscard]] std::string number_text(wide_count number, int width) {
    constexpr std::int64_t split = 1'000'000'000'000'000'000;
    const auto high = static_cast<long long>(number / split), low = static_cast<long long>(number % split);
    return high == 0 ? printed("%0*lld", width, low) : printed("%lld%018lld", high, low < 0 ? -low : low);
}

[[nodiscard]] std::string month_text(wide_count month) {
    const auto years = nk::core::rounded_down(month, 12);
    return number_text(1970 + years, 4) + '-' + number_text(month - years * 12 + 1, 2);
}

[[nodiscard]] std::string day_text(wide_count days) {
    const auto month = nk::core::month_of_day(days);
    return month_text(month) + '-' + number_text(days - nk::core::days_before_month(month) + 1, 2);
}

[[nodiscard]] std::string time_text(const nk::core::time_unit& unit, wide_count count) {
    const auto parted = [](wide_count& number, std::int64_t by) {
        const auto whole = nk::core::rounded_down(number, by);
        return static_cast<std::int64_t>(std::exchange(number, whole) - whole * by);
    };
    int digits = 0;  // after the decimal point of the seconds
    for (std::int64_t rest = unit.per_second; rest > 1; rest /= 10)
        ++digits;
    const std::int64_t fraction = digits == 0 ? 0 : parted(count, unit.per_second);
    const std::int64_t in_day = parted(count, 86400 / unit.seconds);
    std::string out = day_text(count);
    const auto pair = [](std::int64_t number) { return number_text(number, 2); };
    if (unit.name == "h")
        return out + 'T' + pair(in_day);
    if (unit.name == "m")
        return out + 'T' + pair(in_day / 60) + ':' + pair(in_day % 60);
    out += 'T' + pair(in_day / 3600) + ':' + pair(in_day / 60 % 60) + ':' + pair(in_day % 60);
    return digits == 0 ? out : out + '.' + number_text(fraction, digits);
}

/// The parts of a date as written.
struct written_date {
    wide_count year = 0;
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
        if (rest_.ends_with('Z') && rest_.find(':') != std::string_view::npos)
            rest_.remove_suffix(1);
        const bool fine = take_year(out) && (rest_.empty() || take_day(out));
        return fine && rest_.empty() ? std::optional(out) : std::nullopt;
    }

  private:
    [[nodiscard]] bool take_year(written_date& out) {
        constexpr std::size_t least_width = 4, most_digits = 29;  // more digits than any count of 64 bits has as a year
        const bool is_negative = rest_.starts_with('-');
        const std::size_t begin = is_negative ? 1 : 0;
        const std::size_t end = std::min(rest_.find_first_not_of("0123456789", begin), rest_.size());
        if (end < least_width || end - begin > most_digits)
            return false;
        for (const char digit : rest_.substr(begin, end - begin))
            out.year = 10 * out.year + (digit - '0');
        if (is_negative)
            out.year = -out.year;
        rest_.remove_prefix(end);
        out.unit = nk::core::find_unit("Y");
        return !is_negative || out.year < 0;
    }
    [[nodiscard]] bool take_day(written_date& out) {
        if (!take('-', 1, 12, "M", out.month, out))
            return false;
        if (rest_.empty())
            return true;
        const auto month = month_of(out.year, out.month);
        const auto days = nk::core::days_before_month(month + 1) - nk::core::days_before_month(month);
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
    const auto months = month_of(date.year, date.month);
    const std::int64_t in_day = 3600 * date.hour + 60 * date.minute + date.second;
    if (unit.name == "Y" || unit.name == "M") {
        if (in_day != 0 || date.fraction != 0 || date.day != 1)
            return std::nullopt;
        return unit.name == "M" ? months : exact_quotient(months, 12);
    }
    const wide_count seconds = (nk::core::days_before_month(months) + date.day - 1) * 86400 + in_day;
    constexpr std::int64_t attoseconds = 1'000'000'000'000'000'000;
    if (unit.per_second == 1)
        return date.fraction == 0 ? exact_quotient(seconds, unit.seconds) : std::nullopt;
    // No count of 64 bits times a multiple of 31 exceeds this, and the product stays within 128.
    constexpr wide_count farthest = wide_count(1) << 96;
    const auto parts = exact_quotient(date.fraction, attoseconds / unit.per_second);
    if (seconds > farthest / unit.per_second || seconds < -farthest / unit.per_second || !parts)
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
    if (!date)
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
    const auto* const unit = nk::core::find_unit(type.unit());
    if (unit == nullptr)
        return std::to_string(count);
    const wide_count units = wide_count(count) * type.multiple();
    if (unit->name == "Y")
        return number_text(1970 + units, 4);
    if (unit->name == "M")
        return month_text(units);
    if (unit->name == "W" || unit->name == "D")
        return day_text(unit->name == "W" ? 7 * units : units);
    return time_text(*unit, units);
}

std::string lone_time(const nk::dtype& type, std::int64_t count) {
    if (type.kind() == 'M' || count == not_a_time)
        return date_text(type, count);
    const auto* const unit = nk::core::find_unit(type.unit());
    return number_text(wide_count(count) * type.multiple(), 1) + ' ' +
           std::string(unit == nullptr ? "generic time units" : unit->plural);
}

}  // namespace tool
