// SPDX-License-Identifier: BSD-3-Clause
// default_arithmetic: rounding and subnormal numbers while it exists, and the caller's settings after it.
#include "support/rounding.hpp"

#include "support/catch.hpp"

#include <ndkeep/bytes/float_environment.hpp>

#include <cfenv>
#include <limits>

namespace {

/// A quotient that is computed when the program runs.
double divided(double a, double b) {
    const volatile double dividend = a, divisor = b;
    return dividend / divisor;
}

}  // namespace

TEST_CASE("default arithmetic rounds to nearest and gives the caller's mode back", "[bytes]") {
    const double third = divided(1, 3);
    for (const int mode : rounding_modes) {
        CAPTURE(mode);
        const rounding_mode set(mode);
        {
            const ndkeep::detail::default_arithmetic now;

            CHECK(std::fegetround() == FE_TONEAREST);
            CHECK(divided(1, 3) == third);
        }
        CHECK(std::fegetround() == mode);
    }
}

#if defined(__SSE2__)
TEST_CASE("default arithmetic computes with subnormal numbers", "[bytes]") {
    const unsigned former = _mm_getcsr();
    _mm_setcsr(former | 0x8040);  // as linking with -ffast-math does
    const double flushed = divided(std::numeric_limits<double>::min(), 2);
    double kept = 0;
    {
        const ndkeep::detail::default_arithmetic now;
        kept = divided(std::numeric_limits<double>::min(), 2);
    }
    const unsigned back = _mm_getcsr();
    _mm_setcsr(former);

    CHECK(flushed == 0);
    CHECK(kept > 0);
    CHECK((back & 0x8040) == 0x8040);
}

TEST_CASE("default arithmetic rounds to nearest if only SSE rounds otherwise", "[bytes]") {
    const double third = divided(1, 3);
    const unsigned former = _mm_getcsr();
    _mm_setcsr(former | 0x4000);  // upward; the mode of x87 instructions stays
    const double upward = divided(1, 3);
    double nearest = 0;
    {
        const ndkeep::detail::default_arithmetic now;
        nearest = divided(1, 3);
    }
    const unsigned back = _mm_getcsr();
    _mm_setcsr(former);

    CHECK(upward > third);
    CHECK(nearest == third);
    CHECK((back & 0x6000) == 0x4000);
}
#endif
