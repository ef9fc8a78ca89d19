// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/element/time_cast.hpp>.
#pragma once

#include <ndkeep/element/time_cast.hpp>

#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>

#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

inline constexpr std::int64_t not_a_time_count = std::numeric_limits<std::int64_t>::min();

NDKEEP_INLINE void time_ratio::multiply(wide_count more_number, wide_count more_by) noexcept {
    number *= more_number;
    by *= more_by;
    wide_count a = number, b = by;
    while (b != 0)
        b = std::exchange(a, b) % b;
    number /= a;
    by /= a;
}

[[nodiscard]] NDKEEP_INLINE bool is_calendar_unit(const core::time_unit& unit) noexcept {
    return unit.name == "Y" || unit.name == "M";
}

NDKEEP_INLINE time_ratio ratio_of_units(const dtype& from, const dtype& to) {
    const core::time_unit &given = *core::find_unit(from.unit()), &wanted = *core::find_unit(to.unit());
    time_ratio out;
    out.multiply(given.seconds, wanted.seconds);
    out.multiply(wanted.per_second, given.per_second);
    out.multiply(from.multiple(), to.multiple());
    return out;
}

/// Multiplies, divides and rounds down; nullopt if the result exceeds 64 bits. If a product exceeds 128 bits, so does
/// the result exceed 64: the divisor then is at most a multiple, of 31 bits.
[[nodiscard]] NDKEEP_INLINE std::optional<std::int64_t> scaled(wide_count count, const time_ratio& by) {
    wide_count product = 0;
    if (__builtin_mul_overflow(count, by.number, &product))
        return std::nullopt;
    const wide_count result = core::rounded_down(product, by.by);
    if (result > std::numeric_limits<std::int64_t>::max() || result <= not_a_time_count)
        return std::nullopt;
    return static_cast<std::int64_t>(result);
}

}  // namespace detail

namespace core {

NDKEEP_INLINE wide_count days_before_month(wide_count month) {
    // Years begin in March, so that the leap day is the last. 3-2000 begins an era of 400 years.
    const wide_count since_march = month + 1970 * 12 - 2;
    const wide_count year = rounded_down(since_march, 12), in_year = since_march - year * 12;
    const wide_count era = rounded_down(year, 400), in_era = year - era * 400;
    constexpr std::int64_t days_of_era = 146097, days_to_1970 = 719468;
    return era * days_of_era + in_era * 365 + in_era / 4 - in_era / 100 + (153 * in_year + 2) / 5 - days_to_1970;
}

NDKEEP_INLINE wide_count month_of_day(wide_count day) {
    // The average length is off by less than two months over an era, and exact from one era to the next.
    constexpr std::int64_t days_of_era = 146097, months_of_era = 4800;
    wide_count month = rounded_down(day * months_of_era, days_of_era);
    while (days_before_month(month) > day)
        --month;
    while (days_before_month(month + 1) <= day)
        ++month;
    return month;
}

NDKEEP_INLINE std::optional<time_cast> time_cast::between(const dtype& from, const dtype& to) {
    if (!from.is_time() || from.kind() != to.kind() || from.unit().empty() || to.unit().empty() ||
        same_time_unit(from, to))
        return std::nullopt;
    const bool has_months = detail::is_calendar_unit(*find_unit(from.unit())),
               gets_months = detail::is_calendar_unit(*find_unit(to.unit()));
    if (has_months == gets_months)
        return time_cast(from, to, way::ratio);
    if (from.kind() == 'm')
        return time_cast(from, to, way::averages);
    return time_cast(from, to, has_months ? way::from_calendar : way::to_calendar);
}

NDKEEP_INLINE time_cast::time_cast(const dtype& from, const dtype& to, way how) : how_(how) {
    if (how == way::ratio || how == way::averages) {
        first_ = detail::ratio_of_units(from, to);
        return;
    }
    const dtype days = dtype::parse("<M8[D]"), months = dtype::parse("<M8[M]");
    first_ = detail::ratio_of_units(from, how == way::from_calendar ? months : days);
    second_ = detail::ratio_of_units(how == way::from_calendar ? days : months, to);
}

NDKEEP_INLINE std::optional<std::int64_t> time_cast::operator()(std::int64_t count) const {
    if (count == detail::not_a_time_count)
        return count;
    if (how_ == way::ratio || how_ == way::averages)
        return detail::scaled(count, first_);
    const auto between = rounded_down(count * first_.number, first_.by);
    return detail::scaled(how_ == way::from_calendar ? days_before_month(between) : month_of_day(between), second_);
}

}  // namespace core

namespace detail {

NDKEEP_INLINE std::optional<core::time_cast> time_cast_of_load(const dtype& from, const dtype& to) {
    auto cast = core::time_cast::between(from, to);
    return cast && !cast->uses_average_lengths() ? cast : std::nullopt;
}

NDKEEP_INLINE void cast_loaded_times(const core::time_cast& cast, std::byte* counts, std::size_t count, const dtype& to,
                                     const std::vector<std::size_t>& shape, bool column_major,
                                     const std::filesystem::path& file) {
    for (std::size_t i = 0; i < count; ++i) {
        std::int64_t value = 0;
        std::memcpy(&value, counts + i * sizeof value, sizeof value);
        const auto other = cast(value);
        if (!other) {
            std::vector<std::size_t> index(shape.size());
            std::size_t rest = i;
            for (std::size_t k = 0; k < shape.size(); ++k) {
                const std::size_t axis = column_major ? k : shape.size() - 1 - k;
                index[axis] = rest % shape[axis];
                rest /= shape[axis];
            }
            std::string text;
            for (const std::size_t each : index)
                text += (text.empty() ? "" : ", ") + std::to_string(each);
            throw mismatch_error({.file = file,
                                  .field = "element [" + text + ']',
                                  .expected = "a value that fits " + ndkeep::quoted(to.str()),
                                  .found = "the count " + std::to_string(value)});
        }
        std::memcpy(counts + i * sizeof value, &*other, sizeof value);
    }
}

}  // namespace detail

}  // namespace ndkeep
