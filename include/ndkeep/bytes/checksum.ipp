// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/bytes/checksum.hpp>.
#pragma once

#include <ndkeep/bytes/checksum.hpp>

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <cassert>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE checksum kinds_of(const checksums& sums) noexcept {
    checksum kinds = checksum::none;
    for (const auto& [name, hex] : sums)
        kinds |= checksum_from_name(name).value_or(checksum::none);
    return kinds;
}

namespace core {

NDKEEP_INLINE std::string hex_text(std::span<const std::byte> bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (const std::byte byte : bytes)
        detail::append_hex(text, std::to_integer<std::uint64_t>(byte), 2);
    return text;
}

NDKEEP_INLINE std::string hex_text(std::uint32_t number) {
    std::string text;
    detail::append_hex(text, number, 8);
    return text;
}

}  // namespace core

namespace detail {

/// Parses exactly eight hexadecimal digits; nullopt for anything else. Other programs may write upper case.
[[nodiscard]] constexpr std::optional<std::uint32_t> number_from_hex(std::string_view text) noexcept {
    if (text.size() != 8)
        return std::nullopt;
    std::uint32_t number = 0;
    for (const char c : text) {
        if (digit_value(c) >= 16)
            return std::nullopt;
        number = number << 4 | digit_value(c);
    }
    return number;
}

}  // namespace detail

NDKEEP_INLINE running_checksums::running_checksums(checksum kinds, const checksums& stored,
                                                   const std::filesystem::path& file)
    : kinds_(kinds) {
    assert(can_continue(kinds));
    if (contains(kinds, checksum::crc32))
        crc32_ = stored_number(checksum::crc32, stored, file);
    if (contains(kinds, checksum::crc32c))
        crc32c_ = stored_number(checksum::crc32c, stored, file);
}

NDKEEP_INLINE void running_checksums::update(std::span<const std::byte> bytes) noexcept {
    // Several kinds take turns on pieces of 16 KiB. Such a piece is still in the first-level cache when the second kind
    // reads it. A single kind takes all bytes at once.
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

NDKEEP_INLINE void running_checksums::append(const running_checksums& later, std::uint64_t bytes) noexcept {
    assert(kinds_ == later.kinds_ && can_continue(kinds_));
    // Kinds that are not in the set remain 0, which combines to 0.
    crc32_ = crc32_combine(crc32_, later.crc32_, bytes);
    crc32c_ = crc32c_combine(crc32c_, later.crc32c_, bytes);
}

NDKEEP_INLINE checksums running_checksums::values() const {
    checksums sums;
    if (contains(kinds_, checksum::crc32))
        sums.emplace(checksum_name(checksum::crc32), detail::hex_text(crc32_));
    if (contains(kinds_, checksum::crc32c))
        sums.emplace(checksum_name(checksum::crc32c), detail::hex_text(crc32c_));
    if (contains(kinds_, checksum::md5))
        sums.emplace(checksum_name(checksum::md5), detail::hex_text(md5_.digest()));
    return sums;
}

NDKEEP_INLINE std::uint32_t running_checksums::stored_number(checksum kind, const checksums& stored,
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

NDKEEP_INLINE checksums checksums_of(std::span<const std::byte> bytes, checksum kinds) {
    running_checksums sums(kinds);
    sums.update(bytes);
    return sums.values();
}

}  // namespace ndkeep
