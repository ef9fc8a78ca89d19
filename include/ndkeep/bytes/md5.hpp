// SPDX-License-Identifier: BSD-3-Clause
// MD5 (RFC 1321): detects accidental changes in storage and transfer, but not deliberate ones.
#pragma once

#include <ndkeep/version.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ndkeep::inline NDKEEP_ABI {

using md5_digest = std::array<std::byte, 16>;

/// Computes the MD5 of bytes that arrive in pieces.
///
/// @see RFC 1321
class running_md5 {
  public:
    /// Adds the next bytes.
    void update(std::span<const std::byte> bytes) noexcept;

    /// The MD5 of the bytes so far. More bytes can be added afterwards.
    [[nodiscard]] md5_digest digest() const noexcept;

  private:
    using state = std::array<std::uint32_t, 4>;

    // The integer part of 2^32 * |sin(i)|, i = 1 to 64 (RFC 1321, 3.4).
    static constexpr std::array<std::uint32_t, 64> sines = {
        0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
        0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
        0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
        0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
        0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
        0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
        0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
        0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

    /// One of the 64 steps for a block of 64 bytes (RFC 1321, 3.4).
    /// @param step  a constant in every call; after inlining, all that depends on it is a constant as well
    [[gnu::always_inline]] static void take(std::size_t step, state& s, const std::byte* block) noexcept {
        const std::size_t round = step / 16, within = step % 16;
        // Which of the 16 words of the block this step adds.
        const std::size_t word = (round == 0   ? within
                                  : round == 1 ? 5 * within + 1
                                  : round == 2 ? 3 * within + 5
                                               : 7 * within) %
                                 16;
        constexpr int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
        // The four registers rotate their roles from step to step. The index rotates here, so no value has to be moved.
        const std::uint32_t b = s[(65 - step) % 4], c = s[(66 - step) % 4], d = s[(67 - step) % 4];

        // The previous step has only just computed b, so each round adds it last. In the second round, RFC 1321
        // combines two terms by "or". They have no bit in common, so a sum gives the same, and the term without b can
        // be added early.
        std::uint32_t a = in_order(s[(64 - step) % 4] + little_endian(block + 4 * word) + sines[step]);
        if (round == 0)
            a += d ^ (b & (c ^ d));
        else if (round == 1)
            a = in_order(a + (c & ~d)) + (b & d);
        else if (round == 2)
            a += (c ^ d) ^ b;
        else
            a += c ^ (b | ~d);
        s[(64 - step) % 4] = std::rotl(a, turns[round][step % 4]) + b;
    }

    /// Forces the compiler to compute `sum` before the terms that are added to it. Otherwise clang reorders the
    /// additions, which is a fifth slower.
    [[gnu::always_inline]] static std::uint32_t in_order(std::uint32_t sum) noexcept {
        __asm__("" : "+r"(sum));
        return sum;
    }

    /// Adds complete blocks of 64 bytes.
    static void absorb(state& into, std::span<const std::byte> blocks) noexcept;

    [[gnu::always_inline]] static std::uint32_t little_endian(const std::byte* at) noexcept {
        std::uint32_t word = 0;
        std::memcpy(&word, at, sizeof word);
        if constexpr (std::endian::native == std::endian::big)
            word = word >> 24 | (word >> 8 & 0xff00) | (word << 8 & 0xff0000) | word << 24;
        return word;
    }

    state state_ = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};  // RFC 1321, 3.3
    std::array<std::byte, 64> held_ = {};  // the begin of an incomplete block: the first size_ % 64 bytes
    std::uint64_t size_ = 0;               // all bytes so far
};

/// The MD5 of `bytes`.
///
/// @see RFC 1321
[[nodiscard]] md5_digest md5(std::span<const std::byte> bytes) noexcept;

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bytes/md5.ipp>
#endif
