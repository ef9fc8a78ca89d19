// SPDX-License-Identifier: BSD-3-Clause
// Dates and spans of time as text.
#pragma once

#include <ndkeep/format/dtype.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace tool {

/// The count that stands for NaT.
inline constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();

/// A date as NumPy writes it, "2010-01-01T05", also far beyond the years that NumPy prints; "NaT"; the plain count if
/// the dtype has no unit. `date_count` reads it back.
[[nodiscard]] std::string date_text(const ndkeep::dtype& type, std::int64_t count);

/// The count of a date in ISO 8601, as written by `date_text`, or of "NaT". The date may have a coarser unit than the
/// dtype, a blank in place of the T, and a Z (UTC) at the end of a time.
/// @return nullopt if the text is no date, or if the dtype cannot hold it exactly
[[nodiscard]] std::optional<std::int64_t> date_count(const ndkeep::dtype& type, std::string_view text);

/// The unit of NumPy that `date_text` writes in this form: "D" for "2010-01-02". Months and finer units only, because a
/// lone year is also an integer.
[[nodiscard]] std::optional<std::string_view> unit_of_date(std::string_view text);

/// A date, or a time span as NumPy prints a scalar: "5 days".
[[nodiscard]] std::string lone_time(const ndkeep::dtype& type, std::int64_t count);

}  // namespace tool
