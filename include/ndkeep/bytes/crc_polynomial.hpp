// SPDX-License-Identifier: BSD-3-Clause
// The polynomials of CRC-32 and CRC-32C, and arithmetic with them.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A function that continues a CRC with more bytes.
using crc_function = std::uint32_t(std::span<const std::byte>, std::uint32_t continued) noexcept;

// A CRC is the remainder of a polynomial with coefficients 0 and 1. Both standards reflect the bits: the coefficient of
// x^0 is the highest bit, that of x^31 the lowest. The x^32 of the two polynomials below is left out.
inline constexpr std::uint32_t crc32_polynomial = 0xedb88320;
inline constexpr std::uint32_t crc32c_polynomial = 0x82f63b78;

/// a * x modulo the polynomial. Reflected, so a multiplication by x shifts to the right.
template <std::uint32_t Polynomial>
[[nodiscard]] constexpr std::uint32_t crc_times_x(std::uint32_t a) noexcept {
    return (a >> 1) ^ ((a & 1) != 0 ? Polynomial : 0);
}

/// a * b modulo the polynomial.
template <std::uint32_t Polynomial>
[[nodiscard]] constexpr std::uint32_t crc_product(std::uint32_t a, std::uint32_t b) noexcept {
    std::uint32_t product = 0;
    for (std::uint32_t power = 0x80000000; power != 0; power >>= 1) {
        if ((a & power) != 0)
            product ^= b;
        b = crc_times_x<Polynomial>(b);
    }
    return product;
}

/// base^exponent modulo the polynomial, by repeated squaring.
template <std::uint32_t Polynomial>
[[nodiscard]] constexpr std::uint32_t crc_power(std::uint32_t base, std::uint64_t exponent) noexcept {
    std::uint32_t power = 0x80000000;  // x^0
    for (; exponent != 0; exponent >>= 1) {
        if ((exponent & 1) != 0)
            power = crc_product<Polynomial>(power, base);
        base = crc_product<Polynomial>(base, base);
    }
    return power;
}

}  // namespace ndkeep::detail
