// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/element/bfloat16.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace element_bfloat16_tests {

using ndkeep::bfloat16;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::uint16_t rounded(double value) { return bfloat16(value).bits(); }

bool is_nan(std::uint16_t bits) { return (bits & 0x7fffU) > 0x7f80U; }

}  // namespace

TEST_CASE("every bfloat16 is the float with the same upper half", "[element][bfloat16]") {
    std::size_t wrong = 0;
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const float value = bfloat16::from_bits(static_cast<std::uint16_t>(bits));
        wrong += std::bit_cast<std::uint32_t>(value) != bits << 16;
    }

    CHECK(wrong == 0);
}

TEST_CASE("every bfloat16 comes back from float, double and long double", "[element][bfloat16]") {
    std::size_t wrong = 0;
    for (std::uint32_t i = 0; i < 65536; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float value = bfloat16::from_bits(bits);
        if (is_nan(bits)) {
            // Quiet NaNs keep their payload; a signalling NaN becomes quiet and stays a NaN.
            wrong += !std::isnan(value) || bfloat16(value).bits() != (bits | 0x40U);
            continue;
        }
        wrong += bfloat16(value).bits() != bits;
        wrong += rounded(static_cast<double>(value)) != bits;
        wrong += bfloat16(static_cast<long double>(value)).bits() != bits;
    }

    CHECK(wrong == 0);
}

TEST_CASE("floats between two bfloat16 go to the nearer one, and from the middle to the even one",
          "[element][bfloat16]") {
    std::size_t wrong = 0;
    // Up to the largest number, 0x7f7f: what is above the middle after it is infinity, 0x7f80.
    for (std::uint32_t bits = 0; bits < 0x7f80; ++bits)
        for (const std::uint32_t sign : {0U, 0x8000U}) {
            const auto of = [&](std::uint32_t rest) {
                return std::uint32_t{bfloat16(std::bit_cast<float>((sign | bits) << 16 | rest)).bits()};
            };
            wrong += of(0x0001) != (sign | bits);
            wrong += of(0x7fff) != (sign | bits);
            wrong += of(0x8000) != (sign | (bits + (bits & 1)));
            wrong += of(0x8001) != (sign | (bits + 1));
            wrong += of(0xffff) != (sign | (bits + 1));
        }

    CHECK(wrong == 0);
}

TEST_CASE("a bfloat16 is rounded from numbers of every size", "[element][bfloat16]") {
    const std::vector<std::pair<double, std::uint16_t>> table = {
        {0.0, 0x0000},
        {-0.0, 0x8000},
        {1.0, 0x3f80},
        {-2.0, 0xc000},
        {0.1, 0x3dcd},
        {3.14159, 0x4049},
        {257, 0x4380},  // a tie, down to even
        {259, 0x4382},  // a tie, up to even
        {0x1.fep127, 0x7f7f},
        {0x1.fefffffp127, 0x7f7f},
        {0x1.ffp127, 0x7f80},  // half-way to 2^128
        {-1e300, 0xff80},
        {infinity, 0x7f80},
        {-infinity, 0xff80},
        {0x1p-126, 0x0080},     // the smallest normal
        {0x1.fcp-127, 0x007f},  // the largest subnormal
        {0x1.fep-127, 0x0080},  // a tie, up to normal
        {0x1p-133, 0x0001},
        {0x1p-134, 0x0000},  // a tie, down to zero
        {0x1.0000000000001p-134, 0x0001},
        {-1e-300, 0x8000},
    };

    for (const auto& [value, bits] : table) {
        CAPTURE(value);
        CHECK(rounded(value) == bits);
    }
    CHECK(bfloat16(3).bits() == 0x4040);
    CHECK(bfloat16(true).bits() == 0x3f80);
    CHECK(bfloat16(std::int64_t{-1}).bits() == 0xbf80);
    CHECK(bfloat16(std::numeric_limits<std::uint64_t>::max()).bits() == 0x5f80);
}

TEST_CASE("a double becomes a bfloat16 in one step, not by way of float", "[element][bfloat16]") {
    const double just_above_a_tie = 257 + 0x1p-40;

    CHECK(static_cast<float>(just_above_a_tie) == 257.0F);
    CHECK(rounded(just_above_a_tie) == 0x4381);
}

TEST_CASE("a NaN stays a NaN in bfloat16, with its sign", "[element][bfloat16]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    // Their payloads are only in the dropped bits.
    const auto low_double = std::bit_cast<double>(std::uint64_t{0x7ff0'0000'0000'0001U});
    const auto low_float = std::bit_cast<float>(std::uint32_t{0x7f80'0001U});

    CHECK(rounded(nan) == 0x7fc0);
    CHECK(rounded(std::copysign(nan, -1.0)) == 0xffc0);
    CHECK(is_nan(rounded(low_double)));
    CHECK(is_nan(bfloat16(low_float).bits()));
    CHECK(bfloat16(nan) != bfloat16(nan));
}

TEST_CASE("bfloat16 computes and compares as float", "[element][bfloat16]") {
    const bfloat16 a = 1.5;
    const bfloat16 b = 256;
    bfloat16 sum = b;
    sum += 1.0F;
    bfloat16 others = 3;
    others -= 1;
    others *= 4;
    others /= 16;

    STATIC_REQUIRE(std::is_same_v<decltype(a + b), float>);
    CHECK(a + b == 257.5F);
    CHECK(-a == -1.5F);
    CHECK(sum == 256);
    CHECK(others == 0.5);
    CHECK(a < b);
    CHECK(bfloat16(0.0) == bfloat16(-0.0));
    STATIC_REQUIRE(bfloat16(1.0).bits() == 0x3f80);
    STATIC_REQUIRE(std::is_trivially_copyable_v<bfloat16>);
    STATIC_REQUIRE(std::is_trivially_default_constructible_v<bfloat16>);
    STATIC_REQUIRE(!std::is_convertible_v<const char*, bfloat16>);
}

TEST_CASE("the limits of bfloat16 are those of 8 bits of exponent and 8 of precision", "[element][bfloat16]") {
    using limits = std::numeric_limits<bfloat16>;

    STATIC_REQUIRE(limits::is_specialized);
    STATIC_REQUIRE(limits::digits == 8);
    STATIC_REQUIRE(limits::has_infinity);
    CHECK(limits::max() == 0x1.fep127F);
    CHECK(limits::lowest() == -0x1.fep127F);
    CHECK(limits::min() == 0x1p-126F);
    CHECK(limits::denorm_min() == 0x1p-133F);
    CHECK(limits::epsilon() == 0x1p-7F);
    CHECK(limits::round_error() == 0.5);
    CHECK(limits::infinity() == infinity);
    CHECK(std::isnan(limits::quiet_NaN()));
    CHECK(std::isnan(limits::signaling_NaN()));
    CHECK(std::ldexp(1.0, limits::max_exponent - 1) == 0x1p127);
    CHECK(std::ldexp(1.0, limits::min_exponent - 1) == limits::min());
    CHECK(std::pow(10.0, limits::max_exponent10) < limits::max());
    CHECK(std::pow(10.0, limits::min_exponent10) > limits::min());
}

}  // namespace element_bfloat16_tests
