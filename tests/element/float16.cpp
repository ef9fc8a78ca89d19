// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/element/float16.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace array_float16_tests {

using ndkeep::float16;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// FNV-1a, the hash with which a Python script made the expected values.
class hash {
  public:
    template <class Word>
    void add(Word word) {
        for (std::size_t i = 0; i < sizeof(Word); ++i)
            value_ = (value_ ^ (word >> (8 * i) & 0xffU)) * 1099511628211U;
    }
    [[nodiscard]] std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 14695981039346656037U;
};

std::uint16_t rounded(double value) { return float16(value).bits(); }

bool is_nan(std::uint16_t bits) { return (bits & 0x7fffU) > 0x7c00U; }

}  // namespace

TEST_CASE("every float16 has the float that NumPy gives it", "[array][float16]") {
    // np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32).view(np.uint32), hashed
    hash all;
    for (std::uint32_t bits = 0; bits < 65536; ++bits)
        all.add(std::bit_cast<std::uint32_t>(static_cast<float>(float16::from_bits(static_cast<std::uint16_t>(bits)))));

    CHECK(all.value() == 0xb0659868ec053145U);
}

TEST_CASE("every float16 comes back from float, double and long double", "[array][float16]") {
    std::size_t wrong = 0;
    for (std::uint32_t i = 0; i < 65536; ++i) {
        const auto bits = static_cast<std::uint16_t>(i);
        const float value = float16::from_bits(bits);
        if (is_nan(bits)) {
            // Quiet NaNs keep their payload; a signalling NaN becomes quiet and stays a NaN.
            wrong += !std::isnan(value) || rounded(static_cast<double>(value)) != (bits | 0x200U);
            continue;
        }
        wrong += float16(value).bits() != bits;
        wrong += rounded(static_cast<double>(value)) != bits;
        wrong += float16(static_cast<long double>(value)).bits() != bits;
    }

    CHECK(wrong == 0);
}

TEST_CASE("doubles are rounded as NumPy rounds them, ties and subnormals included", "[array][float16]") {
    // Hash of np.float64(d).astype(np.float16) for the same numbers, from 2^-28 to 2^17: on, at and next to each tie.
    hash all;
    std::uint64_t x = 1;
    for (int n = 0; n < 40'000; n += 7) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        const std::uint64_t upper = x >> 63 << 63 | ((x >> 40) % 46 + 1023 - 28) << 52 | (x >> 20 & 0x3ffU) << 42;
        constexpr std::uint64_t half = std::uint64_t{1} << 41;
        for (const std::uint64_t rest :
             {std::uint64_t{0}, std::uint64_t{1}, half - 1, half, half + 1, 2 * half - 1, x >> 7 & (2 * half - 1)})
            all.add(rounded(std::bit_cast<double>(upper | rest)));
    }

    CHECK(all.value() == 0xba869a413dbb1736U);
}

TEST_CASE("rounding is to nearest, ties to even", "[array][float16]") {
    const std::vector<std::pair<double, std::uint16_t>> table = {
        {0.0, 0x0000},
        {-0.0, 0x8000},
        {1.0, 0x3c00},
        {-2.0, 0xc000},
        {0.1, 0x2e66},
        {1.0 / 3, 0x3555},
        {-3.14159, 0xc248},
        {2049, 0x6800},   // a tie, down to even
        {2051, 0x6802},   // a tie, up to even
        {65504, 0x7bff},  // the largest
        {65519.99, 0x7bff},
        {65520, 0x7c00},  // half-way to 2^16
        {-65520, 0xfc00},
        {1e300, 0x7c00},
        {infinity, 0x7c00},
        {-infinity, 0xfc00},
        {0x1p-14, 0x0400},  // the smallest normal
        {6.1e-5, 0x03ff},
        {0x1p-24, 0x0001},
        {0x1p-25, 0x0000},  // a tie, down to zero
        {0x1.0000000000001p-25, 0x0001},
        {-0x1p-25, 0x8000},
        {0x1.8p-24, 0x0002},
        {1e-300, 0x0000},
        {std::numeric_limits<double>::denorm_min(), 0x0000},
        {1 - 0x1p-12, 0x3c00},  // carries into the exponent
        {0x1.ffep-15, 0x0400},  // from subnormal to normal
    };

    for (const auto& [value, bits] : table) {
        CAPTURE(value);
        CHECK(rounded(value) == bits);
    }
}

TEST_CASE("doubles are rounded once, not by way of float", "[array][float16]") {
    const double just_above_a_tie = 2049 + 0x1p-30;

    CHECK(static_cast<float>(just_above_a_tie) == 2049.0F);
    CHECK(rounded(just_above_a_tie) == 0x6801);
}

TEST_CASE("NaNs stay NaNs, with their sign", "[array][float16]") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    // A NaN whose payload is only in the dropped bits.
    const auto low_payload = std::bit_cast<double>(std::uint64_t{0x7ff0'0000'0000'0001U});

    CHECK(rounded(nan) == 0x7e00);
    CHECK(rounded(std::copysign(nan, -1.0)) == 0xfe00);
    CHECK(is_nan(rounded(low_payload)));
    CHECK(std::isnan(float16(nan)));
    CHECK(float16(nan) != float16(nan));
}

TEST_CASE("integers and bools convert as numbers", "[array][float16]") {
    CHECK(float16(3).bits() == 0x4200);
    CHECK(float16(std::int64_t{-1}).bits() == 0xbc00);
    CHECK(float16(true).bits() == 0x3c00);
    CHECK(float16(100'000).bits() == 0x7c00);
    CHECK(float16(std::numeric_limits<std::uint64_t>::max()).bits() == 0x7c00);
    CHECK(static_cast<int>(float16(7.9)) == 7);
    const double wide = float16(0.5);
    CHECK(wide == 0.5);
}

TEST_CASE("arithmetic is float's, rounded when stored", "[array][float16]") {
    const float16 a = 1.5;
    const float16 b = 2048;
    float16 sum = b;
    sum += 1.0F;
    float16 others = 3;
    others -= 1;
    others *= 4;
    others /= 16;

    STATIC_REQUIRE(std::is_same_v<decltype(a + b), float>);
    CHECK(a + b == 2049.5F);
    CHECK(-a == -1.5F);
    CHECK(sum == 2048);
    CHECK(others == 0.5);
    CHECK(a < b);
    CHECK(float16(0.0) == float16(-0.0));
    CHECK(std::max(a, b) == 2048);
    CHECK(std::sqrt(float16(4)) == 2.0F);
}

TEST_CASE("float16 is usable at compile time", "[array][float16]") {
    STATIC_REQUIRE(float16(1.0).bits() == 0x3c00);
    STATIC_REQUIRE(static_cast<float>(float16::from_bits(0x3555)) == 0x1.554p-2F);
    STATIC_REQUIRE(std::is_trivially_copyable_v<float16>);
    STATIC_REQUIRE(std::is_trivially_default_constructible_v<float16>);
    STATIC_REQUIRE(!std::is_convertible_v<const char*, float16>);
}

TEST_CASE("the limits of float16 are those of binary16", "[array][float16]") {
    using limits = std::numeric_limits<float16>;

    STATIC_REQUIRE(limits::is_specialized);
    STATIC_REQUIRE(limits::digits == 11);
    STATIC_REQUIRE(limits::has_infinity);
    CHECK(limits::max() == 65504);
    CHECK(limits::lowest() == -65504);
    CHECK(limits::min() == 0x1p-14F);
    CHECK(limits::denorm_min() == 0x1p-24F);
    CHECK(limits::epsilon() == 0x1p-10F);
    CHECK(limits::round_error() == 0.5);
    CHECK(limits::infinity() == infinity);
    CHECK(std::isnan(limits::quiet_NaN()));
    CHECK(float16(1 + static_cast<float>(limits::epsilon())).bits() == 0x3c01);
    CHECK(std::ldexp(1.0, limits::max_exponent - 1) == 32768);
    CHECK(std::ldexp(1.0, limits::min_exponent - 1) == limits::min());
    CHECK(std::pow(10.0, limits::max_exponent10) < limits::max());
    CHECK(std::pow(10.0, limits::min_exponent10) > limits::min());
}

}  // namespace array_float16_tests
