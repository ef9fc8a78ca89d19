// SPDX-License-Identifier: BSD-3-Clause
// Checksums: kinds, sets and names, and the computation of several kinds in one pass.
#pragma once

#include <ndkeep/bytes/md5.hpp>
#include <ndkeep/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

/// A kind of checksum, or a set of kinds: `checksum::crc32 | checksum::md5`.
enum class checksum : unsigned { none = 0, crc32 = 1, crc32c = 2, md5 = 4 };

[[nodiscard]] constexpr checksum operator|(checksum a, checksum b) noexcept {
    return static_cast<checksum>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

[[nodiscard]] constexpr checksum operator&(checksum a, checksum b) noexcept {
    return static_cast<checksum>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}

constexpr checksum& operator|=(checksum& a, checksum b) noexcept { return a = a | b; }

/// Whether `set` has all kinds of `one`. False for `none`.
[[nodiscard]] constexpr bool contains(checksum set, checksum one) noexcept {
    return one != checksum::none && (set & one) == one;
}

/// Checksum values by the name of their kind, in lower-case hex: {"crc32", "9ae0daaf"},
/// {"md5", "5d41402abc4b2a76b9719d911017c592"}.
using checksums = std::map<std::string, std::string, std::less<>>;

/// All kinds, in the order of their names.
inline constexpr std::array checksum_kinds = {checksum::crc32, checksum::crc32c, checksum::md5};

/// The name of a kind: "crc32", "crc32c", "md5", or "none". Empty for a set of several kinds.
[[nodiscard]] constexpr std::string_view checksum_name(checksum one) noexcept {
    switch (one) {
    case checksum::none:
        return "none";
    case checksum::crc32:
        return "crc32";
    case checksum::crc32c:
        return "crc32c";
    case checksum::md5:
        return "md5";
    }
    return {};
}

/// The kind with this name; nullopt for an unknown name, and for "none".
[[nodiscard]] constexpr std::optional<checksum> checksum_from_name(std::string_view name) noexcept {
    for (const checksum kind : checksum_kinds) {
        if (checksum_name(kind) == name)
            return kind;
    }
    return std::nullopt;
}

/// The set of kinds in `sums`. Unknown names are ignored.
[[nodiscard]] checksum kinds_of(const checksums& sums) noexcept;

namespace core {

/// Two lower-case hexadecimal digits for each byte.
[[nodiscard]] std::string hex_text(std::span<const std::byte> bytes);

/// Eight lower-case hexadecimal digits, with leading zeros.
[[nodiscard]] std::string hex_text(std::uint32_t number);

}  // namespace core

/// Computes checksums of bytes that arrive in pieces. Each byte is read from memory once, however many kinds there are.
class running_checksums {
  public:
    /// Of no bytes so far.
    explicit running_checksums(checksum kinds) noexcept : kinds_(kinds) {}

    /// Resumes from stored values, without the bytes that they cover. An MD5 cannot be resumed: see `can_continue`.
    ///
    /// @param kinds  the kinds to resume; each must be in `stored`
    /// @param file   the file that `stored` is from; errors show it, it is not opened
    /// @throws format_error  a sum is missing or is not 8 hexadecimal digits
    running_checksums(checksum kinds, const checksums& stored, const std::filesystem::path& file = {});

    /// Whether the values of these kinds are enough to resume from. An MD5 digest is not, because it includes the
    /// padding of the last block.
    [[nodiscard]] static constexpr bool can_continue(checksum kinds) noexcept {
        return !contains(kinds, checksum::md5);
    }

    /// The kinds that are computed.
    [[nodiscard]] checksum kinds() const noexcept { return kinds_; }

    /// Adds the next bytes.
    void update(std::span<const std::byte> bytes) noexcept;

    /// Adds the next `bytes` bytes by their checksums, without reading them. So threads can sum parts in parallel.
    /// @param later  the checksums of those bytes alone, of the same kinds, without MD5
    void append(const running_checksums& later, std::uint64_t bytes) noexcept;

    /// The checksums of the bytes so far. More bytes can be added afterwards.
    [[nodiscard]] checksums values() const;

  private:
    /// Parses one stored value.
    /// @throws format_error  it is missing or is not 8 hexadecimal digits
    [[nodiscard]] static std::uint32_t stored_number(checksum kind, const checksums& stored,
                                                     const std::filesystem::path& file);

    checksum kinds_;
    std::uint32_t crc32_ = 0;
    std::uint32_t crc32c_ = 0;
    running_md5 md5_;
};

/// The checksums of `bytes`.
[[nodiscard]] checksums checksums_of(std::span<const std::byte> bytes, checksum kinds);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bytes/checksum.ipp>
#endif
