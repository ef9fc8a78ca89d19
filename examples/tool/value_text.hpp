// SPDX-License-Identifier: BSD-3-Clause
// Values as NumPy prints them, in an array and on their own.
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

/// A value on its own: `str` of a NumPy scalar.
[[nodiscard]] std::string lone_value(const ndkeep::dtype& native, const std::byte* value);
/// A date or span of time without quotes; NaT.
[[nodiscard]] std::string lone_time(const ndkeep::dtype& native, std::int64_t count);

}  // namespace tool
