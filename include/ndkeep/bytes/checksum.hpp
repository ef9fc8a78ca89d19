// SPDX-License-Identifier: BSD-3-Clause
// Checksums by name: any set of them, in one pass over bytes that come in pieces.
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

/// One kind of checksum, or a set of them: `checksum::crc32 | checksum::md5`.
enum class checksum : unsigned { none = 0, crc32 = 1, crc32c = 2, md5 = 4 };

[[nodiscard]] constexpr checksum operator|(checksum a, checksum b) noexcept {
    return static_cast<checksum>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

[[nodiscard]] constexpr checksum operator&(checksum a, checksum b) noexcept {
    return static_cast<checksum>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}

constexpr checksum& operator|=(checksum& a, checksum b) noexcept { return a = a | b; }

[[nodiscard]] constexpr bool contains(checksum set, checksum one) noexcept {
    return one != checksum::none && (set & one) == one;
}

/// Finished sums by name, in lower-case hex: {"crc32", "9ae0daaf"}, {"md5", "5d41402abc4b2a76b9719d911017c592"}.
using checksums = std::map<std::string, std::string, std::less<>>;

/// Every kind there is, in the order of their names.
inline constexpr std::array checksum_kinds = {checksum::crc32, checksum::crc32c, checksum::md5};

/// "crc32", "crc32c", "md5"; "none" for none. A set of several has no name.
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

/// The kind of that name; nothing for a name that is not known, "none" included.
[[nodiscard]] constexpr std::optional<checksum> checksum_from_name(std::string_view name) noexcept {
    for (const checksum kind : checksum_kinds) {
        if (checksum_name(kind) == name)
            return kind;
    }
    return std::nullopt;
}

/// The kinds among `sums`; names that are not known are passed over.
[[nodiscard]] checksum kinds_of(const checksums& sums) noexcept;

namespace core {

/// Two lower-case hexadecimal digits a byte.
[[nodiscard]] std::string hex_text(std::span<const std::byte> bytes);

/// Eight lower-case hexadecimal digits.
[[nodiscard]] std::string hex_text(std::uint32_t number);

}  // namespace core

/// The sums of bytes that come in pieces; every byte is read from memory once, however many kinds there are.
class running_checksums {
  public:
    explicit running_checksums(checksum kinds) noexcept : kinds_(kinds) {}

    /// Goes on where `stored` ended, without the bytes that it is of. An MD5 cannot be continued: see `can_continue`.
    ///
    /// @param kinds  what to continue, every one of them in `stored`
    /// @param file   where `stored` is from: named in errors, never opened
    /// @throws format_error  a sum is missing or is not 8 hexadecimal digits
    running_checksums(checksum kinds, const checksums& stored, const std::filesystem::path& file = {});

    [[nodiscard]] static constexpr bool can_continue(checksum kinds) noexcept {
        return !contains(kinds, checksum::md5);
    }

    [[nodiscard]] checksum kinds() const noexcept { return kinds_; }

    void update(std::span<const std::byte> bytes) noexcept;

    /// Goes on with the sums of the `bytes` bytes that follow.
    /// @param later  of the same kinds, which can be continued
    void append(const running_checksums& later, std::uint64_t bytes) noexcept;

    /// The sums of the bytes so far; more may follow.
    [[nodiscard]] checksums values() const;

  private:
    [[nodiscard]] static std::uint32_t stored_number(checksum kind, const checksums& stored,
                                                     const std::filesystem::path& file);

    checksum kinds_;
    std::uint32_t crc32_ = 0;
    std::uint32_t crc32c_ = 0;
    running_md5 md5_;
};

/// The sums of `bytes`, all at once.
[[nodiscard]] checksums checksums_of(std::span<const std::byte> bytes, checksum kinds);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bytes/checksum.ipp>
#endif
