// SPDX-License-Identifier: BSD-3-Clause
// Whether a floating-point number is NaN or finite, and which one is greater, decided by their bits.
//
// Programs that use ndkeep are compiled with -ffast-math too. Compilers may then assume that no number is NaN or
// infinite, and take std::isnan(x) and x != x for false. Files have such numbers all the same, so no other header asks
// the standard library, and a number is compared only after it was found not to be NaN.
#pragma once

#include <ndkeep/version.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// False for NaN and for the two infinities: all bits of their exponent are set.
template <std::floating_point T>
[[nodiscard]] bool is_finite(T value) noexcept {
    if constexpr (sizeof(T) == sizeof(std::uint32_t)) {
        return (std::bit_cast<std::uint32_t>(value) & 0x7f80'0000U) != 0x7f80'0000U;
    } else if constexpr (sizeof(T) == sizeof(std::uint64_t)) {
        return (std::bit_cast<std::uint64_t>(value) & 0x7ff0'0000'0000'0000U) != 0x7ff0'0000'0000'0000U;
    } else {
        // long double of 80 bits (x86) or 128 (AArch64, s390x): sign and exponent are the upper two bytes of both.
        static_assert(std::numeric_limits<T>::digits == 64 || std::numeric_limits<T>::digits == 113);
        constexpr std::size_t upper = std::endian::native == std::endian::big ? 0
                                      : std::numeric_limits<T>::digits == 64  ? 8
                                                                              : 14;
        std::uint16_t exponent;
        std::memcpy(&exponent, reinterpret_cast<const std::byte*>(&value) + upper, sizeof exponent);
        return (exponent & 0x7fffU) != 0x7fffU;
    }
}

template <std::floating_point T>
[[nodiscard]] bool is_nan(T value) noexcept {
    if constexpr (sizeof(T) == sizeof(std::uint32_t))
        return (std::bit_cast<std::uint32_t>(value) & 0x7fff'ffffU) > 0x7f80'0000U;
    else if constexpr (sizeof(T) == sizeof(std::uint64_t))
        return (std::bit_cast<std::uint64_t>(value) & 0x7fff'ffff'ffff'ffffU) > 0x7ff0'0000'0000'0000U;
    else  // the conversion keeps NaN, and makes an infinity of numbers that double cannot hold
        return !is_finite(value) && is_nan(static_cast<double>(value));
}

inline constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

/// A number for each double, in the same order. Equal ones have equal numbers, also 0.0 and -0.0, which have 2^63.
[[nodiscard]] constexpr std::uint64_t ordered_bits(double value) noexcept {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    // -0.0 is made 0.0 here, because -ffast-math would leave out an addition of 0.
    if (bits == sign_bit)
        return sign_bit;
    // Of negative numbers, the greater one has the smaller bits.
    return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}

/// The double that has these `ordered_bits`.
[[nodiscard]] constexpr double double_of_ordered_bits(std::uint64_t ordered) noexcept {
    return std::bit_cast<double>((ordered & sign_bit) != 0 ? ordered ^ sign_bit : ~ordered);
}

/// Integers are never NaN.
template <std::integral T>
[[nodiscard]] constexpr bool is_nan(T) noexcept {
    return false;
}

}  // namespace ndkeep::detail
