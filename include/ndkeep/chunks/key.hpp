// SPDX-License-Identifier: BSD-3-Clause
// Keys of ordered rows as values: the bounds of a range, in the unit of the caller.
#pragma once

#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI {

/// A bound of keys: a number, a duration or a point in time. It converts from each of them.
///
///     sink.erase(sys_days(2024y/May/1), sys_days(2024y/June/1));   // the keys may be nanoseconds
///
/// A plain number as a bound of dates is a count of their unit.
class key_bound {
  public:
    /// A number; for dates, a count of their unit.
    template <std::integral Number>
    key_bound(Number number) : number_(detail::exact_number(number)) {}
    /// The same.
    template <std::floating_point Number>
    key_bound(Number number) : number_(detail::exact_number(number)) {}

    /// A number that another call has returned, such as `from` and `to` of the items of `in_step`.
    key_bound(const statistics::number& number) : number_(number) {}

    /// A duration, for keys that are durations.
    template <std::integral Rep, class Period>
    key_bound(const std::chrono::duration<Rep, Period>& time)
        : number_(std::int64_t{time.count()}), type_(dtype_of<std::chrono::duration<std::int64_t, Period>>()) {}

    /// A point in time, for keys that are dates.
    template <class Duration>
    key_bound(const std::chrono::time_point<std::chrono::system_clock, Duration>& time)
        : number_(std::int64_t{time.time_since_epoch().count()}),
          type_(dtype_of<std::chrono::sys_time<std::chrono::duration<std::int64_t, typename Duration::period>>>()) {}

    /// The bound as a key of dtype `keys`. A date or duration is rounded up to their unit: the keys from it on,
    /// and the keys below it, are then those from the result on, and below it.
    /// @param called  the display path, for errors
    /// @throws mismatch_error  NaN or NaT; a date for keys that are none; too large for the unit
    [[nodiscard]] statistics::number in(const dtype& keys, const std::filesystem::path& called) const;

  private:
    statistics::number number_;
    dtype type_ = {};  // of a date or duration; no dtype for a number
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/key.ipp>
#endif
