// SPDX-License-Identifier: BSD-3-Clause
// Dates and spans of time as text.
#pragma once

#include <ndkeep/format/dtype.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace tool {

/// NaT.
inline constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();

/// A date as NumPy writes it, "2010-01-01T05"; "NaT"; the count itself where it is beyond every calendar.
[[nodiscard]] std::string date_text(const ndkeep::dtype& type, std::int64_t count);

/// A date, or a span of time as NumPy prints it on its own: "5 days".
[[nodiscard]] std::string lone_time(const ndkeep::dtype& type, std::int64_t count);

}  // namespace tool
