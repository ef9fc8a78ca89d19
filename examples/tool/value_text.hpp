// SPDX-License-Identifier: BSD-3-Clause
// Values as text: as NumPy prints them, in an array and on their own, and as others read them.
#pragma once

#include "elements.hpp"
#include "float_text.hpp"

#include <optional>
#include <string>

namespace tool {

/// The values of a column as text, all of one width where NumPy makes them so.
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

/// A value as others read it: numbers with the fewest digits that mean the same number of their type, dates in ISO
/// 8601, spans of time in their units, text as it is, other bytes in hexadecimal.
[[nodiscard]] std::string value_text(const ndkeep::dtype& type, const std::byte* value);
/// A value on its own: `str` of a NumPy scalar.
[[nodiscard]] std::string lone_value(const ndkeep::dtype& type, const std::byte* value);

}  // namespace tool
