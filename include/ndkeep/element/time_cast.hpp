// SPDX-License-Identifier: BSD-3-Clause
// Casts of dates and durations from one time unit to another.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/time_unit.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

// A count of 64 bits times a multiple of 31 bits has 95 bits, and in years it has 104 bits as days.
__extension__ typedef __int128 wide_count;

/// A quotient, rounded towards minus infinity.
/// @param by  positive
[[nodiscard]] constexpr wide_count rounded_down(wide_count number, wide_count by) noexcept {
    return number / by - (number % by < 0 ? 1 : 0);
}

/// Days from 1970 to the first day of a month of the proleptic Gregorian calendar. Months count from January 1970.
[[nodiscard]] wide_count days_before_month(wide_count month);

/// The month that contains a day, the inverse of `days_before_month`. Days count from 1970.
[[nodiscard]] wide_count month_of_day(wide_count day);

}  // namespace core

namespace detail {

using core::wide_count;

/// A positive fraction in lowest terms.
struct time_ratio {
    wide_count number = 1, by = 1;

    void multiply(wide_count more_number, wide_count more_by) noexcept;
};

/// How many counts of `to` one count of `from` is. Years and months have NumPy's average lengths: a year has 365.2425
/// days, and 12 months.
/// @param from, to  dates or durations with a unit
[[nodiscard]] time_ratio ratio_of_units(const dtype& from, const dtype& to);

}  // namespace detail

namespace core {

/// Casts counts of one time unit to counts of another, as NumPy's astype does, but never wraps.
///
/// A date or duration between two counts is rounded down, also if it is negative. Dates follow the calendar. A year of
/// a duration has 365.2425 days, and a month a twelfth of it.
/// @see NumPy, "Datetimes and Timedeltas", Datetime Units
class time_cast {
  public:
    /// The cast between two dtypes; nullopt if one is not needed, because the units are equally long, or not possible:
    /// not two dates or two durations, or a dtype without a unit.
    [[nodiscard]] static std::optional<time_cast> between(const dtype& from, const dtype& to);

    /// The count in the other unit. NaT stays NaT.
    /// @return nullopt if it exceeds 64 bits
    [[nodiscard]] std::optional<std::int64_t> operator()(std::int64_t count) const;

    /// Whether durations are cast between years or months and a unit that they are no multiple of.
    [[nodiscard]] bool uses_average_lengths() const noexcept { return how_ == way::averages; }

  private:
    enum class way { ratio, averages, from_calendar, to_calendar };

    time_cast(const dtype& from, const dtype& to, way how);

    way how_;
    detail::time_ratio first_;   // to the unit of the result; across the calendar, to months or days
    detail::time_ratio second_;  // across the calendar: from days or months to the unit of the result
};

}  // namespace core

namespace detail {

/// The cast that loading a file of dtype `from` as `to` needs. Years and months are not cast to averages.
[[nodiscard]] std::optional<core::time_cast> time_cast_of_load(const dtype& from, const dtype& to);

/// Casts loaded counts of 64 bits in place.
/// @param shape  and the order of the elements: to name an element
/// @throws mismatch_error  a count exceeds 64 bits; the error names the first such element in memory
void cast_loaded_times(const core::time_cast& cast, std::byte* counts, std::size_t count, const dtype& to,
                       const std::vector<std::size_t>& shape, bool column_major, const std::filesystem::path& file);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/element/time_cast.ipp>
#endif
