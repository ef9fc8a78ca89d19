// SPDX-License-Identifier: BSD-3-Clause
// Checksums by name: any set of them, in one pass over bytes that come in pieces.
#pragma once

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/bytes/md5.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ndkeep {

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
[[nodiscard]] inline checksum kinds_of(const checksums& sums) noexcept {
    checksum kinds = checksum::none;
    for (const auto& [name, hex] : sums)
        kinds |= checksum_from_name(name).value_or(checksum::none);
    return kinds;
}

namespace detail {

[[nodiscard]] inline std::string hex_text(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte) >> 4];
        text += digits[std::to_integer<unsigned>(byte) & 15];
    }
    return text;
}

[[nodiscard]] inline std::string hex_text(std::uint32_t number) {
    std::array<std::byte, 4> bytes{};
    for (unsigned i = 0; i < 4; ++i)
        bytes[i] = static_cast<std::byte>(number >> (24 - 8 * i) & 0xff);
    return hex_text(bytes);
}

/// Eight digits of either case, as other programs may have written them.
[[nodiscard]] constexpr std::optional<std::uint32_t> number_from_hex(std::string_view text) noexcept {
    if (text.size() != 8)
        return std::nullopt;
    std::uint32_t number = 0;
    for (const char c : text) {
        if (c >= '0' && c <= '9')
            number = number << 4 | static_cast<std::uint32_t>(c - '0');
        else if (c >= 'a' && c <= 'f')
            number = number << 4 | static_cast<std::uint32_t>(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            number = number << 4 | static_cast<std::uint32_t>(c - 'A' + 10);
        else
            return std::nullopt;
    }
    return number;
}

}  // namespace detail

/// The sums of bytes that come in pieces; every byte is read from memory once, however many kinds there are.
class running_checksums {
  public:
    explicit running_checksums(checksum kinds) noexcept : kinds_(kinds) {}

    /// Goes on where `stored` ended, without the bytes that it is of. An MD5 cannot be continued: see `can_continue`.
    ///
    /// @param kinds  what to continue, every one of them in `stored`
    /// @param file   where `stored` is from: named in errors, never opened
    /// @throws format_error  a sum is missing or is not 8 hexadecimal digits
    running_checksums(checksum kinds, const checksums& stored, const std::filesystem::path& file = {}) : kinds_(kinds) {
        assert(can_continue(kinds));
        if (contains(kinds, checksum::crc32))
            crc32_ = stored_number(checksum::crc32, stored, file);
        if (contains(kinds, checksum::crc32c))
            crc32c_ = stored_number(checksum::crc32c, stored, file);
    }

    [[nodiscard]] static constexpr bool can_continue(checksum kinds) noexcept {
        return !contains(kinds, checksum::md5);
    }

    [[nodiscard]] checksum kinds() const noexcept { return kinds_; }

    void update(std::span<const std::byte> bytes) noexcept {
        // Small enough to be in the first cache still when the second sum comes for it.
        const bool only_one = std::find(checksum_kinds.begin(), checksum_kinds.end(), kinds_) != checksum_kinds.end();
        const std::size_t piece_size = only_one ? bytes.size() : std::size_t{16} << 10;
        while (kinds_ != checksum::none && !bytes.empty()) {
            const auto piece = bytes.first(std::min(piece_size, bytes.size()));
            if (contains(kinds_, checksum::crc32))
                crc32_ = ndkeep::crc32(piece, crc32_);
            if (contains(kinds_, checksum::crc32c))
                crc32c_ = ndkeep::crc32c(piece, crc32c_);
            if (contains(kinds_, checksum::md5))
                md5_.update(piece);
            bytes = bytes.subspan(piece.size());
        }
    }

    /// Goes on with the sums of the `bytes` bytes that follow.
    /// @param later  of the same kinds, which can be continued
    void append(const running_checksums& later, std::uint64_t bytes) noexcept {
        assert(kinds_ == later.kinds_ && can_continue(kinds_));
        crc32_ = crc32_combine(crc32_, later.crc32_, bytes);
        crc32c_ = crc32c_combine(crc32c_, later.crc32c_, bytes);
    }

    /// The sums of the bytes so far; more may follow.
    [[nodiscard]] checksums values() const {
        checksums sums;
        if (contains(kinds_, checksum::crc32))
            sums.emplace(checksum_name(checksum::crc32), detail::hex_text(crc32_));
        if (contains(kinds_, checksum::crc32c))
            sums.emplace(checksum_name(checksum::crc32c), detail::hex_text(crc32c_));
        if (contains(kinds_, checksum::md5))
            sums.emplace(checksum_name(checksum::md5), detail::hex_text(md5_.digest()));
        return sums;
    }

  private:
    [[nodiscard]] static std::uint32_t stored_number(checksum kind, const checksums& stored,
                                                     const std::filesystem::path& file) {
        const auto at = stored.find(checksum_name(kind));
        const std::string_view hex = at == stored.end() ? std::string_view() : at->second;
        const auto number = detail::number_from_hex(hex);
        if (!number)
            throw format_error({.file = file,
                                .field = std::string(checksum_name(kind)),
                                .expected = "8 hexadecimal digits",
                                .found = at == stored.end() ? "missing" : quoted(hex)});
        return *number;
    }

    checksum kinds_;
    std::uint32_t crc32_ = 0;
    std::uint32_t crc32c_ = 0;
    running_md5 md5_;
};

/// The sums of `bytes`, all at once.
[[nodiscard]] inline checksums checksums_of(std::span<const std::byte> bytes, checksum kinds) {
    running_checksums sums(kinds);
    sums.update(bytes);
    return sums.values();
}

}  // namespace ndkeep
