// SPDX-License-Identifier: BSD-3-Clause
// float16: NumPy's two-byte floating-point number, which converts to and from the built-in numbers.
#pragma once

#include <ndkeep/version.hpp>

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The bits of a two-byte number with a sign, `Exponent` bits of exponent and `Fraction` bits of significand, as
/// IEEE 754 lays them out. `value` is rounded to nearest, ties to even.
template <int Exponent, int Fraction>
[[nodiscard]] constexpr std::uint16_t rounded_bits(double value) noexcept {
    static_assert(1 + Exponent + Fraction == 16);
    constexpr int bias = (1 << (Exponent - 1)) - 1;
    constexpr int lowest = 1 - bias;  // exponent of the smallest normal number
    constexpr int surplus = 52 - Fraction;
    constexpr std::uint64_t infinity = ((std::uint64_t{1} << Exponent) - 1) << Fraction;
    // Half-way from the largest number to the next power of two, as a double. From here on, infinity is nearest.
    constexpr std::uint64_t beyond =
        (static_cast<std::uint64_t>(1023 + bias) << 52) | ((std::uint64_t{2} << Fraction) - 1) << (surplus - 1);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t sign = bits >> 48 & 0x8000U;
    const std::uint64_t magnitude = bits & 0x7fff'ffff'ffff'ffffU;
    if (magnitude > 0x7ff0'0000'0000'0000U) {  // NaN: quiet, with the leading bits of its payload
        constexpr std::uint64_t quiet = std::uint64_t{1} << (Fraction - 1);
        return static_cast<std::uint16_t>(sign | infinity | quiet | (magnitude >> surplus & (2 * quiet - 1)));
    }
    if (magnitude >= beyond)
        return static_cast<std::uint16_t>(sign | infinity);
    const auto exponent = static_cast<int>(magnitude >> 52) - 1023;
    if (exponent < lowest - Fraction - 1)  // less than half of the smallest number
        return static_cast<std::uint16_t>(sign);
    const std::uint64_t significand = (magnitude & 0xf'ffff'ffff'ffffU) | 0x10'0000'0000'0000U;
    // In subnormal numbers the last bit is worth the same at every exponent, so more bits are dropped.
    const int dropped = exponent < lowest ? surplus + (lowest - exponent) : surplus;
    const std::uint64_t half = std::uint64_t{1} << (dropped - 1);
    const std::uint64_t rest = significand & ((std::uint64_t{1} << dropped) - 1);
    std::uint64_t kept = significand >> dropped;
    if (rest > half || (rest == half && (kept & 1) != 0))
        ++kept;
    // Added, not combined with |: the implicit leading bit completes the exponent (hence not the whole bias), and a
    // carry out of the significand gives the next exponent, which is right.
    const std::uint64_t scale = exponent < lowest ? 0 : static_cast<std::uint64_t>(exponent - lowest) << Fraction;
    return static_cast<std::uint16_t>(sign | (scale + kept));
}

}  // namespace detail

/// An IEEE 754 binary16 number. It converts to float and double exactly. It converts from any number by rounding to
/// nearest, ties to even; a long double is rounded to double first. Arithmetic is done in float.
class float16 {
  public:
    float16() = default;

    /// Rounds any number to nearest, ties to even.
    template <class Number>
        requires std::is_arithmetic_v<Number>
    constexpr float16(Number value) noexcept  // NOLINT: implicit, as between the built-in numbers
        : bits_(detail::rounded_bits<5, 10>(static_cast<double>(value))) {}

    constexpr operator float() const noexcept { return widened(); }  // NOLINT: implicit

    /// The number with these 16 bits.
    [[nodiscard]] static constexpr float16 from_bits(std::uint16_t bits) noexcept {
        float16 value = 0;
        value.bits_ = bits;
        return value;
    }
    /// The 16 bits of the number.
    [[nodiscard]] constexpr std::uint16_t bits() const noexcept { return bits_; }

    constexpr float16& operator+=(float other) noexcept { return *this = float16(widened() + other); }
    constexpr float16& operator-=(float other) noexcept { return *this = float16(widened() - other); }
    constexpr float16& operator*=(float other) noexcept { return *this = float16(widened() * other); }
    constexpr float16& operator/=(float other) noexcept { return *this = float16(widened() / other); }

  private:
    [[nodiscard]] constexpr float widened() const noexcept {
        const std::uint32_t sign = std::uint32_t{bits_ & 0x8000U} << 16;
        const std::uint32_t exponent = bits_ >> 10 & 0x1fU;
        const std::uint32_t fraction = bits_ & 0x3ffU;
        if (exponent == 0x1f)
            return std::bit_cast<float>(sign | 0x7f80'0000U | fraction << 13);
        if (exponent != 0)
            return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);  // biases: 127 - 15
        const float small = static_cast<float>(fraction) * 0x1p-24F;
        return sign != 0 ? -small : small;
    }

    std::uint16_t bits_;
};

static_assert(sizeof(float16) == 2 && std::is_trivially_copyable_v<float16>);

namespace detail {

/// What std::numeric_limits says of a two-byte number in the format of IEEE 754. All of it follows from two numbers.
/// @tparam Digits       significant bits, with the one that is not stored
/// @tparam MaxExponent  as std::numeric_limits has it: one more than the exponent of the largest number
template <class Number, int Digits, int MaxExponent>
class two_byte_limits {
    static constexpr double decimal(int binary) { return binary * 0.301029995663981195; }  // log10(2)
    static constexpr int bias = MaxExponent - 1;
    static constexpr Number number(int exponent, int fraction) noexcept {
        return Number::from_bits(static_cast<std::uint16_t>(exponent << (Digits - 1) | fraction));
    }
    static constexpr int no_number = 2 * bias + 1;  // the exponent of infinities and NaN

  public:
    static constexpr bool is_specialized = true;
    static constexpr bool is_signed = true;
    static constexpr bool is_integer = false;
    static constexpr bool is_exact = false;
    static constexpr bool has_infinity = true;
    static constexpr bool has_quiet_NaN = true;
    static constexpr bool has_signaling_NaN = true;
    static constexpr bool is_iec559 = false;
    static constexpr bool is_bounded = true;
    static constexpr bool is_modulo = false;
    static constexpr bool traps = false;
    static constexpr bool tinyness_before = false;
    static constexpr std::float_round_style round_style = std::round_to_nearest;
    static constexpr int radix = 2;
    static constexpr int digits = Digits;
    static constexpr int digits10 = static_cast<int>(decimal(Digits - 1));
    static constexpr int max_digits10 = static_cast<int>(decimal(Digits)) + 2;
    static constexpr int min_exponent = 3 - MaxExponent;
    static constexpr int min_exponent10 = static_cast<int>(decimal(min_exponent - 1));
    static constexpr int max_exponent = MaxExponent;
    static constexpr int max_exponent10 = static_cast<int>(decimal(MaxExponent));
    static constexpr Number min() noexcept { return number(1, 0); }
    static constexpr Number lowest() noexcept { return Number::from_bits(0x8000U | max().bits()); }
    static constexpr Number max() noexcept { return number(no_number - 1, (1 << (Digits - 1)) - 1); }
    static constexpr Number epsilon() noexcept { return number(bias + 1 - Digits, 0); }
    static constexpr Number round_error() noexcept { return number(bias - 1, 0); }
    static constexpr Number infinity() noexcept { return number(no_number, 0); }
    static constexpr Number quiet_NaN() noexcept { return number(no_number, 1 << (Digits - 2)); }
    static constexpr Number signaling_NaN() noexcept { return number(no_number, 1 << (Digits - 3)); }
    static constexpr Number denorm_min() noexcept { return number(0, 1); }
};

}  // namespace detail

}  // namespace ndkeep

template <>
class std::numeric_limits<ndkeep::float16> : public ndkeep::detail::two_byte_limits<ndkeep::float16, 11, 16> {
  public:
    static constexpr bool is_iec559 = true;
};
