// SPDX-License-Identifier: BSD-3-Clause
// Floating-point numbers as NumPy prints them: the shortest digits that read back as the same number, up to a
// precision, and all of an array in one form.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tool {

/// NumPy's FloatingFormat with floatmode "maxprec": numbers that are printed below each other.
class float_layout {
  public:
    /// @param values     all that are printed
    /// @param size       bytes of the type they have in the file: 2, 4, 8, or of a long double
    /// @param precision  digits behind the point, at most
    /// @param with_plus  a sign before positive numbers too, as in imaginary parts
    float_layout(const std::vector<long double>& values, std::size_t size, int precision, bool with_plus = false);

    /// As wide as all the others.
    [[nodiscard]] std::string text(long double value) const;

  private:
    std::size_t size_;
    int precision_;
    bool with_plus_;
    bool is_scientific_ = false;
    std::size_t left_ = 0, right_ = 0;  // characters before and behind the point
    int fraction_ = 0;                  // digits behind the point of each, in the scientific form
    std::size_t exponent_ = 2;          // digits
};

/// A number on its own, as NumPy's scalars print: "0.1", "1.0", "1e+16".
[[nodiscard]] std::string scalar_text(long double value, std::size_t size);
/// "(1+2j)", "2j"
[[nodiscard]] std::string complex_text(long double real, long double imaginary, std::size_t size);

}  // namespace tool
