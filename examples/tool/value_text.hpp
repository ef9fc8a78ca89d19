// SPDX-License-Identifier: BSD-3-Clause
// Prints values: as NumPy prints arrays and scalars, and in plain forms for other programs.
#pragma once

#include "elements.hpp"
#include "float_text.hpp"

#include <ndkeep/format/statistics.hpp>

#include <optional>
#include <string>

namespace tool {

/// The values of a column as text, padded to a common width where NumPy does so.
class column_texts {
  public:
    /// @param values  kept by reference
    column_texts(const column& values, int precision);

    [[nodiscard]] std::string at(std::size_t i) const;

  private:
    const column& values_;
    std::optional<float_layout> real_, imaginary_;
    std::size_t width_ = 0;
};

/// A value for other programs: numbers with the fewest digits that read back as the same value of their type, dates in
/// ISO 8601, time spans as counts of their units, text unchanged, other bytes in hexadecimal.
[[nodiscard]] std::string value_text(const ndkeep::dtype& type, const std::byte* value);
/// A single value: `str` of a NumPy scalar.
[[nodiscard]] std::string lone_value(const ndkeep::dtype& type, const std::byte* value);
/// A minimum, a maximum or a key of this dtype, as a NumPy scalar prints; "-" if absent.
[[nodiscard]] std::string extreme_text(const ndkeep::dtype& type, const std::optional<ndkeep::statistics::number>& of);

}  // namespace tool
