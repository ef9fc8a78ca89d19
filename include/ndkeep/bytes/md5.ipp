// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/bytes/md5.hpp>.
#pragma once

#include <ndkeep/bytes/md5.hpp>

#include <algorithm>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE void running_md5::update(std::span<const std::byte> bytes) noexcept {
    if (bytes.empty())
        return;
    const std::size_t held = size_ % 64;
    size_ += bytes.size();
    if (held != 0) {
        const auto head = bytes.first(std::min(64 - held, bytes.size()));
        std::memcpy(held_.data() + held, head.data(), head.size());
        if (held + head.size() < 64)
            return;
        absorb(state_, held_);
        bytes = bytes.subspan(head.size());
    }
    // Complete blocks are read where they are. Only the rest is copied.
    const auto tail = bytes.last(bytes.size() % 64);
    absorb(state_, bytes.first(bytes.size() - tail.size()));
    std::copy(tail.begin(), tail.end(), held_.begin());
}

NDKEEP_INLINE md5_digest running_md5::digest() const noexcept {
    // Padding (RFC 1321, 3.1 and 3.2): a one bit, zeros, and the length in bits as 64 bits, least significant byte
    // first. It needs a second block if fewer than 9 bytes are free. The RFC takes the length modulo 2^64 as well.
    std::array<std::byte, 128> last{};
    const std::size_t held = size_ % 64;
    std::copy_n(held_.begin(), held, last.begin());
    last[held] = std::byte{0x80};
    const std::size_t end = held < 56 ? 64 : 128;
    for (unsigned byte = 0; byte < 8; ++byte)
        last[end - 8 + byte] = static_cast<std::byte>((size_ * 8) >> (8 * byte) & 0xff);

    // On a copy, so that more bytes can be added afterwards.
    state sum = state_;
    absorb(sum, {last.data(), end});
    md5_digest digest{};
    for (unsigned byte = 0; byte < digest.size(); ++byte)
        digest[byte] = static_cast<std::byte>(sum[byte / 4] >> (8 * (byte % 4)) & 0xff);
    return digest;
}

NDKEEP_INLINE void running_md5::absorb(state& into, std::span<const std::byte> blocks) noexcept {
    // A local copy, so that the registers need not be stored after each step: `blocks` could overlap `into`.
    state s = into;
    for (; !blocks.empty(); blocks = blocks.subspan(64)) {
        const state before = s;
        [&]<std::size_t... Step>(std::index_sequence<Step...>) { (take(Step, s, blocks.data()), ...); }
        (std::make_index_sequence<64>());
        for (std::size_t i = 0; i < 4; ++i)
            s[i] += before[i];
    }
    into = s;
}

NDKEEP_INLINE md5_digest md5(std::span<const std::byte> bytes) noexcept {
    running_md5 sum;
    sum.update(bytes);
    return sum.digest();
}

}  // namespace ndkeep
