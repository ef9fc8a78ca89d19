// SPDX-License-Identifier: BSD-3-Clause
// SHA-256 (FIPS 180-4), with which requests are signed.
#pragma once

#include <ndkeep/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The digest of bytes that come in pieces.
class sha256 {
  public:
    void update(std::span<const std::byte> bytes);
    /// 64 lower-case hexadecimal digits. No bytes may follow.
    [[nodiscard]] std::string digest();

  private:
    void take(const std::byte* block);

    std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::byte, 64> rest_ = {};
    std::uint64_t total_ = 0;  // bytes
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/s3/detail/sha256.ipp>
#endif
