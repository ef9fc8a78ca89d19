// SPDX-License-Identifier: BSD-3-Clause
// CRC by carry-less multiplication, 16 or 32 bytes at a time. Without content on other machines than x86-64.
#pragma once

#include <ndkeep/bytes/crc_polynomial.hpp>
#include <ndkeep/version.hpp>

#if defined(__x86_64__)

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <wmmintrin.h>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Multiplies a block of 16 bytes by powers of x, which moves it towards the end of the message, and adds the block
/// `there` at its new place. The result has the same CRC as the two blocks at their places.
[[nodiscard, gnu::always_inline, gnu::target("pclmul")]] inline __m128i crc_fold(__m128i block, __m128i factors,
                                                                                 __m128i there) noexcept {
    return _mm_xor_si128(_mm_clmulepi64_si128(block, factors, 0x00),
                         _mm_xor_si128(_mm_clmulepi64_si128(block, factors, 0x11), there));
}

/// x^exponent modulo the polynomial, as a factor of 64 bits for a carry-less multiplication. The product of two
/// reflected numbers of 64 bits has 127 bits and stands one place too low, which the shift corrects.
template <std::uint32_t Polynomial>
[[nodiscard]] constexpr long long crc_factor(std::uint64_t exponent) noexcept {
    constexpr std::uint32_t x = 0x40000000;
    return static_cast<long long>(static_cast<std::uint64_t>(crc_power<Polynomial>(x, exponent)) << 1);
}

/// The CRC by carry-less multiplication. Folds the message in four independent streams of 16 bytes, so that the
/// multiplications overlap, until 16 bytes with the same CRC remain.
///
/// @param bytes  at least 64 bytes; the machine must have PCLMULQDQ
/// @see Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009
template <std::uint32_t Polynomial, crc_function* Plain>
[[nodiscard, gnu::target("pclmul")]] inline std::uint32_t crc_folded(std::span<const std::byte> bytes,
                                                                     std::uint32_t continued) noexcept {
    // Distances in bits: 512 to the next block of a stream, 128 to the next stream. The low half of a block is the
    // earlier one and moves 64 bits further. A remainder in the low 32 bits of a factor already counts as 32 powers of
    // x: together +32 and -32.
    constexpr long long far_low = crc_factor<Polynomial>(512 + 32), far_high = crc_factor<Polynomial>(512 - 32);
    constexpr long long near_low = crc_factor<Polynomial>(128 + 32), near_high = crc_factor<Polynomial>(128 - 32);
    const __m128i by_64_bytes = _mm_set_epi64x(far_high, far_low);
    const __m128i by_16_bytes = _mm_set_epi64x(near_high, near_low);

    const auto* at = reinterpret_cast<const __m128i*>(bytes.data());
    std::size_t left = bytes.size() - 64;
    // The inverted start value of the register is added to the first four bytes of the message.
    __m128i a = _mm_xor_si128(_mm_loadu_si128(at), _mm_cvtsi32_si128(static_cast<int>(~continued)));
    __m128i b = _mm_loadu_si128(at + 1);
    __m128i c = _mm_loadu_si128(at + 2);
    __m128i d = _mm_loadu_si128(at + 3);
    at += 4;
    for (; left >= 64; at += 4, left -= 64) {
        a = crc_fold(a, by_64_bytes, _mm_loadu_si128(at));
        b = crc_fold(b, by_64_bytes, _mm_loadu_si128(at + 1));
        c = crc_fold(c, by_64_bytes, _mm_loadu_si128(at + 2));
        d = crc_fold(d, by_64_bytes, _mm_loadu_si128(at + 3));
    }
    d = crc_fold(crc_fold(crc_fold(a, by_16_bytes, b), by_16_bytes, c), by_16_bytes, d);
    for (; left >= 16; ++at, left -= 16)
        d = crc_fold(d, by_16_bytes, _mm_loadu_si128(at));

    // The start value is in the 16 bytes already, so their register must start at 0: the inverse of 0xffffffff.
    std::array<std::byte, 16> whole;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(whole.data()), d);
    return Plain(bytes.last(left), Plain(whole, 0xffffffff));
}

// Two blocks of 16 bytes in one register. The instruction is written in assembly, because <immintrin.h> would make this
// header ten times as slow to compile.
using crc_block_pair [[gnu::vector_size(32)]] = long long;

/// `crc_fold` for two blocks.
[[nodiscard, gnu::always_inline, gnu::target("avx2")]] inline crc_block_pair
crc_fold_pair(crc_block_pair blocks, crc_block_pair factors, const std::byte* there) noexcept {
    crc_block_pair low, high, next;
    __asm__("vpclmulqdq $0x00, %2, %1, %0" : "=x"(low) : "x"(blocks), "x"(factors));
    __asm__("vpclmulqdq $0x11, %2, %1, %0" : "=x"(high) : "x"(blocks), "x"(factors));
    std::memcpy(&next, there, sizeof next);
    return low ^ high ^ next;
}

/// As `crc_folded`, with four streams of 32 bytes.
///
/// @param bytes  at least 128 bytes; the machine must have AVX2 and VPCLMULQDQ
template <std::uint32_t Polynomial, crc_function* Plain>
[[nodiscard, gnu::target("avx2")]] inline std::uint32_t crc_folded_wide(std::span<const std::byte> bytes,
                                                                        std::uint32_t continued) noexcept {
    constexpr long long low = crc_factor<Polynomial>(1024 + 32), high = crc_factor<Polynomial>(1024 - 32);
    const crc_block_pair by_128_bytes = {low, high, low, high};

    crc_block_pair streams[4];
    std::memcpy(streams, bytes.data(), sizeof streams);
    crc_block_pair a = streams[0] ^ crc_block_pair { static_cast<long long>(~continued), 0, 0, 0 };
    crc_block_pair b = streams[1], c = streams[2], d = streams[3];
    auto rest = bytes.subspan(sizeof streams);
    for (; rest.size() >= sizeof streams; rest = rest.subspan(sizeof streams)) {
        a = crc_fold_pair(a, by_128_bytes, rest.data());
        b = crc_fold_pair(b, by_128_bytes, rest.data() + 32);
        c = crc_fold_pair(c, by_128_bytes, rest.data() + 64);
        d = crc_fold_pair(d, by_128_bytes, rest.data() + 96);
    }

    // The four streams are 128 contiguous bytes with the CRC of all blocks so far. The narrow code folds them further.
    streams[0] = a, streams[1] = b, streams[2] = c, streams[3] = d;
    const std::span<const std::byte> whole(reinterpret_cast<const std::byte*>(streams), sizeof streams);
    return Plain(rest, crc_folded<Polynomial, Plain>(whole, 0xffffffff));
}

}  // namespace ndkeep::detail

#endif
