// SPDX-License-Identifier: BSD-3-Clause
// NaN and infinities, told by their bits.
#include "support/catch.hpp"

#include <ndkeep/bytes/float_bits.hpp>

#include <limits>

namespace {

template <class T>
void check_kind() {
    using range = std::numeric_limits<T>;
    for (const T number : {T(0), -T(0), T(1.5), range::max(), range::lowest(), range::min(), range::denorm_min()}) {
        CHECK(ndkeep::detail::is_finite(number));
        CHECK_FALSE(ndkeep::detail::is_nan(number));
    }
    for (const T number : {range::infinity(), -range::infinity()}) {
        CHECK_FALSE(ndkeep::detail::is_finite(number));
        CHECK_FALSE(ndkeep::detail::is_nan(number));
    }
    for (const T number : {range::quiet_NaN(), -range::quiet_NaN(), range::signaling_NaN()}) {
        CHECK_FALSE(ndkeep::detail::is_finite(number));
        CHECK(ndkeep::detail::is_nan(number));
    }
}

}  // namespace

TEST_CASE("NaN is no number, infinities are not finite, and all else is both", "[bytes]") {
    check_kind<float>();
    check_kind<double>();
    check_kind<long double>();
}
