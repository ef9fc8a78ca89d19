// SPDX-License-Identifier: BSD-3-Clause
// The rounding modes of floating-point arithmetic, for tests of results that must not depend on them.
#pragma once

#include <cfenv>

inline constexpr int rounding_modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

/// Sets the rounding mode of this thread as long as it exists.
class rounding_mode {
  public:
    explicit rounding_mode(int mode) : former_(std::fegetround()) { std::fesetround(mode); }
    rounding_mode(const rounding_mode&) = delete;
    rounding_mode& operator=(const rounding_mode&) = delete;
    ~rounding_mode() { std::fesetround(former_); }

  private:
    int former_;
};
