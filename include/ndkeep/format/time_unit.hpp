// SPDX-License-Identifier: BSD-3-Clause
// The units of NumPy's dates: their names, their lengths, and the finer units that each is divided into.
#pragma once

#include <ndkeep/version.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

// NumPy stores the multiple of a unit in a C int.
inline constexpr std::int64_t most_units = std::numeric_limits<std::int32_t>::max();

}  // namespace detail

namespace core {

/// A unit of dates and durations.
struct time_unit {
    std::string_view name;    ///< in a dtype: "us"
    std::string_view plural;  ///< in a sentence: "microseconds"
    std::int64_t seconds;     ///< in one unit; 1 if the unit is a second or less
    std::int64_t per_second;  ///< units in one second; 1 if the unit is a second or more
    /// The finer units that NumPy tries for a divisor ("D/12"), in NumPy's order, and how many of each make one of this
    /// unit. NumPy counts 365 days a year and 30 days a month here. 0 and "" end the lists.
    std::array<std::int32_t, 3> parts;
    std::array<std::string_view, 3> finer;
};

/// All units, the coarsest first. Years and months have the average lengths of chrono.
inline constexpr std::array<time_unit, 13> time_units = {{
    {"Y", "years", 31'556'952, 1, {12, 52, 365}, {"M", "W", "D"}},
    {"M", "months", 2'629'746, 1, {4, 30, 720}, {"W", "D", "h"}},
    {"W", "weeks", 604'800, 1, {7, 168, 10080}, {"D", "h", "m"}},
    {"D", "days", 86'400, 1, {24, 1440, 86400}, {"h", "m", "s"}},
    {"h", "hours", 3'600, 1, {60, 3600}, {"m", "s"}},
    {"m", "minutes", 60, 1, {60, 60000}, {"s", "ms"}},
    {"s", "seconds", 1, 1, {1000, 1000000}, {"ms", "us"}},
    {"ms", "milliseconds", 1, 1'000, {1000, 1000000}, {"us", "ns"}},
    {"us", "microseconds", 1, 1'000'000, {1000, 1000000}, {"ns", "ps"}},
    {"ns", "nanoseconds", 1, 1'000'000'000, {1000, 1000000}, {"ps", "fs"}},
    {"ps", "picoseconds", 1, 1'000'000'000'000, {1000, 1000000}, {"fs", "as"}},
    {"fs", "femtoseconds", 1, 1'000'000'000'000'000, {1000}, {"as"}},
    {"as", "attoseconds", 1, 1'000'000'000'000'000'000, {}, {}},
}};

/// The unit with this name; nullptr if absent.
[[nodiscard]] constexpr const time_unit* find_unit(std::string_view name) noexcept {
    for (const time_unit& unit : time_units)
        if (unit.name == name)
            return &unit;
    return nullptr;
}

/// How many of the next finer unit, `unit.finer[0]`, make exactly one of `unit`. 0 for months, which have no fixed
/// number of weeks or days, and for the finest unit.
[[nodiscard]] constexpr std::int64_t exact_parts(const time_unit& unit) noexcept {
    const time_unit* const finer = find_unit(unit.finer[0]);
    if (finer == nullptr)
        return 0;
    const std::int64_t parts = unit.parts[0];
    const bool exact =
        unit.seconds == 1 ? finer->per_second == parts * unit.per_second : finer->seconds * parts == unit.seconds;
    return exact ? parts : 0;
}

}  // namespace core
}  // namespace ndkeep
