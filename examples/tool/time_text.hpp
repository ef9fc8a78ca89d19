// SPDX-License-Identifier: BSD-3-Clause
// Dates and spans of time as text.
#pragma once

#include <ndkeep/format/dtype.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace tool {

/// The count that stands for NaT.
inline constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();

/// A date as NumPy writes it, "2010-01-01T05"; "NaT"; the plain count if it is outside the calendar's range.
[[nodiscard]] std::string date_text(const ndkeep::dtype& type, std::int64_t count);

/// A date, or a time span as NumPy prints a scalar: "5 days".
[[nodiscard]] std::string lone_time(const ndkeep::dtype& type, std::int64_t count);

}  // namespace tool
