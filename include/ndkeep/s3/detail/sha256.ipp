// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/detail/sha256.hpp>.
#pragma once

#include <ndkeep/s3/detail/sha256.hpp>

#include <algorithm>
#include <bit>
#include <functional>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void sha256::take(const std::byte* block) {
    static constexpr std::array<std::uint32_t, 64> constants = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    const auto word = [block](std::size_t i) {
        std::uint32_t big = 0;
        for (std::size_t j = 0; j < 4; ++j)
            big = big << 8 | std::to_integer<std::uint32_t>(block[4 * i + j]);
        return big;
    };
    std::array<std::uint32_t, 64> w;
    for (std::size_t i = 0; i < 16; ++i)
        w[i] = word(i);
    for (std::size_t i = 16; i < 64; ++i)
        w[i] = w[i - 16] + w[i - 7] + (std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10);
    auto [a, b, c, d, e, f, g, h] = state_;
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint32_t one =
            h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        const std::uint32_t two =
            (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + one;
        d = c, c = b, b = a, a = one + two;
    }
    const std::array<std::uint32_t, 8> added = {a, b, c, d, e, f, g, h};
    std::transform(state_.begin(), state_.end(), added.begin(), state_.begin(), std::plus<>());
}

NDKEEP_INLINE void sha256::update(std::span<const std::byte> bytes) {
    const std::size_t held = total_ % rest_.size();
    total_ += bytes.size();
    if (held != 0) {
        const std::size_t some = std::min(bytes.size(), rest_.size() - held);
        std::copy_n(bytes.begin(), some, rest_.begin() + static_cast<std::ptrdiff_t>(held));
        bytes = bytes.subspan(some);
        if (held + some < rest_.size())
            return;
        take(rest_.data());
    }
    for (; bytes.size() >= rest_.size(); bytes = bytes.subspan(rest_.size()))
        take(bytes.data());
    std::copy(bytes.begin(), bytes.end(), rest_.begin());
}

NDKEEP_INLINE std::string sha256::digest() {
    // A one bit, zeros up to 8 bytes before the end of a block, and the number of bits.
    const std::uint64_t bits = total_ * 8;
    std::array<std::byte, 72> end = {std::byte{0x80}};
    const std::size_t zeros = (rest_.size() * 2 - 8 - total_ % rest_.size()) % rest_.size();
    const std::size_t at = zeros == 0 ? rest_.size() : zeros;
    for (std::size_t i = 0; i < 8; ++i)
        end[at + i] = static_cast<std::byte>(bits >> (56 - 8 * i));
    update(std::span<const std::byte>(end).first(at + 8));
    std::string text;
    for (const std::uint32_t word : state_)
        for (int shift = 28; shift >= 0; shift -= 4)
            text += "0123456789abcdef"[word >> shift & 15];
    return text;
}

}  // namespace ndkeep::detail
