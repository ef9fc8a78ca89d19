// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/bytes/crc.hpp>.
#pragma once

#include <ndkeep/bytes/crc.hpp>

#include <ndkeep/bytes/crc_x86.hpp>

#include <zlib.h>

#include <array>
#include <bit>
#include <cstring>

#if defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE std::uint32_t crc32_plain(std::span<const std::byte> bytes, std::uint32_t continued) noexcept {
    // For a null pointer, zlib returns the initial value instead of `continued`.
    if (bytes.empty())
        return continued;
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    return static_cast<std::uint32_t>(::crc32_z(continued, data, bytes.size()));
}

/// `tables[k][b]` is the remainder of byte b followed by k zero bytes.
using crc_tables = std::array<std::array<std::uint32_t, 256>, 8>;

// Not constexpr, to keep compile times short. The tables are computed at run time, for the first CRC-32C.
template <std::uint32_t Polynomial>
[[nodiscard]] inline crc_tables make_crc_tables() noexcept {
    crc_tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit)
            sum = crc_times_x<Polynomial>(sum);
        tables[0][byte] = sum;
    }
    for (std::size_t following = 1; following < tables.size(); ++following) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[following - 1][byte];
            tables[following][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    }
    return tables;
}

NDKEEP_INLINE std::uint32_t crc32c_plain(std::span<const std::byte> bytes, std::uint32_t continued) noexcept {
    static const crc_tables table = make_crc_tables<crc32c_polynomial>();
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t left = bytes.size();
    std::uint32_t sum = ~continued;  // the register starts inverted (RFC 3720, 12.1)
    // Eight bytes per step ("slicing by eight"): the look-ups do not depend on each other, so they overlap.
    for (; left >= 8; at += 8, left -= 8) {
        // From bytes and not from a word, so that the byte order of the machine does not matter.
        sum ^= static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
               static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
        sum = table[7][sum & 0xff] ^ table[6][(sum >> 8) & 0xff] ^ table[5][(sum >> 16) & 0xff] ^ table[4][sum >> 24] ^
              table[3][at[4]] ^ table[2][at[5]] ^ table[1][at[6]] ^ table[0][at[7]];
    }
    for (; left != 0; ++at, --left)
        sum = (sum >> 8) ^ table[0][(sum ^ *at) & 0xff];
    return ~sum;
}

#if defined(__x86_64__)

template <std::uint32_t Polynomial, crc_function* Plain>
[[nodiscard]] inline std::uint32_t crc_fast(std::span<const std::byte> bytes, std::uint32_t continued) noexcept {
    // Folding ends with plain sums of the remaining bytes, which is a fixed cost: short messages are summed plainly.
    // The machine is asked at run time, so that one program runs on all of them.
    constexpr std::size_t worth_folding = 128, worth_folding_wide = 1024;
    if (bytes.size() >= worth_folding_wide && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq"))
        return crc_folded_wide<Polynomial, Plain>(bytes, continued);
    if (bytes.size() >= worth_folding && __builtin_cpu_supports("pclmul"))
        return crc_folded<Polynomial, Plain>(bytes, continued);
    return Plain(bytes, continued);
}

#elif defined(__ARM_FEATURE_CRC32)

template <std::uint32_t Polynomial, crc_function* Plain>
[[nodiscard]] inline std::uint32_t crc_fast(std::span<const std::byte> bytes, std::uint32_t continued) noexcept {
    // zlib itself uses the instructions for the other polynomial. They take the bytes of a word in little-endian order.
    if constexpr (Polynomial != crc32c_polynomial || std::endian::native == std::endian::big)
        return Plain(bytes, continued);
    std::uint32_t sum = ~continued;
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        sum = __crc32cd(sum, word);
    }
    return Plain(bytes, ~sum);
}

#else

template <std::uint32_t, crc_function* Plain>
[[nodiscard]] inline std::uint32_t crc_fast(std::span<const std::byte> bytes, std::uint32_t continued) noexcept {
    return Plain(bytes, continued);
}

#endif

}  // namespace detail

NDKEEP_INLINE std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t continued) noexcept {
    return detail::crc_fast<detail::crc32_polynomial, detail::crc32_plain>(bytes, continued);
}

NDKEEP_INLINE std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t continued) noexcept {
    return detail::crc_fast<detail::crc32c_polynomial, detail::crc32c_plain>(bytes, continued);
}

}  // namespace ndkeep
