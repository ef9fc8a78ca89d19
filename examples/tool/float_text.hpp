// SPDX-License-Identifier: BSD-3-Clause
// Prints floating-point numbers as NumPy does: the shortest digits that read back as the same number, up to a
// precision, and one common form for all numbers of an array.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tool {

/// The layout of a column of numbers, as NumPy's FloatingFormat with floatmode "maxprec".
class float_layout {
  public:
    /// @param values     all numbers of the column
    /// @param size       bytes of the dtype in the file: 2, 4, 8, or the size of a long double
    /// @param precision  maximum number of digits after the decimal point
    /// @param with_plus  print "+" before positive numbers, as needed for imaginary parts
    float_layout(const std::vector<long double>& values, std::size_t size, int precision, bool with_plus = false);

    /// The text of a number, padded to the width of the column.
    [[nodiscard]] std::string text(long double value) const;

  private:
    std::size_t size_;
    int precision_;
    bool with_plus_;
    bool is_scientific_ = false;
    std::size_t left_ = 0, right_ = 0;  // characters before and after the decimal point
    int fraction_ = 0;                  // digits after the decimal point in scientific form
    std::size_t exponent_ = 2;          // digits of the exponent
};

/// A single number as NumPy prints a scalar: "0.1", "1.0", "1e+16".
[[nodiscard]] std::string scalar_text(long double value, std::size_t size);
/// A single complex number as NumPy prints a scalar: "(1+2j)", "2j".
[[nodiscard]] std::string complex_text(long double real, long double imaginary, std::size_t size);

}  // namespace tool
