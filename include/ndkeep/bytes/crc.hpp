// SPDX-License-Identifier: BSD-3-Clause
// CRC-32 and CRC-32C: of bytes, resumed from an earlier sum, and combined from the sums of two pieces.
#pragma once

#include <ndkeep/bytes/crc_polynomial.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ndkeep::inline NDKEEP_ABI {

/// The CRC-32 of zip, gzip and Python's `zlib.crc32`.
///
/// @param continued  the CRC-32 of all bytes before `bytes`
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t continued = 0) noexcept;

/// The CRC-32C (Castagnoli) of iSCSI and ext4.
///
/// @param continued  the CRC-32C of all bytes before `bytes`
/// @see RFC 3720, 12.1
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t continued = 0) noexcept;

/// The CRC-32 of two contiguous pieces, from the CRC-32 of each and the size of the second in bytes. The time grows
/// with the logarithm of the size.
[[nodiscard]] constexpr std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second,
                                                    std::uint64_t second_size) noexcept;

/// The CRC-32C of two contiguous pieces, from the CRC-32C of each and the size of the second in bytes.
[[nodiscard]] constexpr std::uint32_t crc32c_combine(std::uint32_t first, std::uint32_t second,
                                                     std::uint64_t second_size) noexcept;

namespace detail {

template <std::uint32_t Polynomial>
[[nodiscard]] constexpr std::uint32_t crc_combine(std::uint32_t first, std::uint32_t second,
                                                  std::uint64_t second_size) noexcept {
    // Bytes appended to a message multiply its polynomial by x^8 each. The inversions of the register before and after
    // (RFC 1952, 8) cancel each other.
    constexpr std::uint32_t one_byte_on = 0x00800000;  // x^8
    return crc_product<Polynomial>(crc_power<Polynomial>(one_byte_on, second_size), first) ^ second;
}

/// By zlib, which has its own fast code for some machines.
[[nodiscard]] std::uint32_t crc32_plain(std::span<const std::byte> bytes, std::uint32_t continued) noexcept;

/// By tables, eight bytes per step, on any machine.
[[nodiscard]] std::uint32_t crc32c_plain(std::span<const std::byte> bytes, std::uint32_t continued) noexcept;

}  // namespace detail

constexpr std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_size) noexcept {
    return detail::crc_combine<detail::crc32_polynomial>(first, second, second_size);
}

constexpr std::uint32_t crc32c_combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_size) noexcept {
    return detail::crc_combine<detail::crc32c_polynomial>(first, second, second_size);
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bytes/crc.ipp>
#endif
