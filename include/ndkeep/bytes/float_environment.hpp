// SPDX-License-Identifier: BSD-3-Clause
// default_arithmetic: floating-point arithmetic as every program starts with it, whatever the caller has set.
#pragma once

#include <ndkeep/version.hpp>

#include <cfenv>
#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>  // _mm_getcsr
#endif

namespace ndkeep::inline NDKEEP_ABI::detail {

/// While it exists, this thread rounds to nearest and computes with subnormal numbers. Then the caller's settings apply
/// again.
///
/// Results that are stored in files must not depend on these settings. A program can change them with fesetround, and
/// linking with -ffast-math makes x86 take subnormal numbers for 0.
class default_arithmetic {
  public:
    default_arithmetic() noexcept : is_changed_(!is_default()) {
        if (is_changed_) {
            std::fegetenv(&former_);
            std::fesetenv(FE_DFL_ENV);
        }
    }
    default_arithmetic(const default_arithmetic&) = delete;
    default_arithmetic& operator=(const default_arithmetic&) = delete;
    ~default_arithmetic() {
        if (is_changed_)
            std::fesetenv(&former_);
    }

  private:
    /// Asked first, because it takes a few cycles and changing the environment takes a hundred.
    [[nodiscard]] static bool is_default() noexcept {
#if defined(__SSE2__)
        // std::fegetround may read only the mode of x87 instructions.
        constexpr unsigned denormals_are_zeros = 0x0040, rounding = 0x6000, flush_to_zero = 0x8000;
        if ((_mm_getcsr() & (denormals_are_zeros | rounding | flush_to_zero)) != 0)
            return false;
#elif defined(__aarch64__)
        std::uint64_t control = 0;
        __asm__ __volatile__("mrs %0, fpcr" : "=r"(control));
        constexpr std::uint64_t flush_to_zero = std::uint64_t{1} << 24;
        if ((control & flush_to_zero) != 0)
            return false;
#endif
        return std::fegetround() == FE_TONEAREST;
    }

    bool is_changed_;
    std::fenv_t former_ = {};
};

}  // namespace ndkeep::detail
