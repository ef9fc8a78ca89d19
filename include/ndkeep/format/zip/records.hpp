// SPDX-License-Identifier: BSD-3-Clause
// The fixed parts of zip records, and the bytes of those written here. "APPNOTE" is PKWARE's .ZIP File Format
// Specification, 6.3.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::uint32_t zip_local_signature = 0x04034b50;
inline constexpr std::uint32_t zip_entry_signature = 0x02014b50;
inline constexpr std::uint32_t zip_end_signature = 0x06054b50;
inline constexpr std::uint32_t zip_end64_signature = 0x06064b50;
inline constexpr std::uint32_t zip_locator_signature = 0x07064b50;

// Bytes of the records without names, extra fields and comments.
inline constexpr std::uint64_t zip_local_size = 30;
inline constexpr std::uint64_t zip_entry_size = 46;
inline constexpr std::uint64_t zip_end_size = 22;
inline constexpr std::uint64_t zip_end64_size = 56;
inline constexpr std::uint64_t zip_locator_size = 20;

inline constexpr std::uint16_t zip_flag_encrypted = 0x1;  // APPNOTE 4.4.4
inline constexpr std::uint16_t zip_flag_descriptor = 0x8;
inline constexpr std::uint16_t zip_flag_patch = 0x20;
inline constexpr std::uint16_t zip_flag_strong_encryption = 0x40;
inline constexpr std::uint16_t zip_flag_utf8 = 0x800;
inline constexpr std::uint16_t zip_flag_masked = 0x2000;

inline constexpr std::uint16_t zip_extra64 = 0x0001;       // APPNOTE 4.5.3
inline constexpr std::uint16_t zip_extra_pieces = 0x6b6e;  // ours, "nk": see zip_pieces

inline constexpr std::size_t most_zip_pieces = 8000;  // 8 bytes each in at most 64 KiB of extra fields

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

/// How a member is kept: as it is, or as a deflate stream.
/// @see APPNOTE 4.4.5
inline constexpr std::uint16_t zip_stored = 0;
inline constexpr std::uint16_t zip_deflated = 8;

/// A deflate stream that is made of pieces, each of which can be expanded without the others. The directory keeps a
/// list of them as an extra field of our own: two words a piece. It is a hint; whoever does not know it reads the
/// stream.
struct zip_piece {
    std::uint32_t compressed = 0;  ///< bytes in the archive
    std::uint32_t size = 0;        ///< bytes of the member
};

/// What the directory says of one member.
struct zip_entry {
    std::string name = {};      ///< UTF-8
    std::string raw_name = {};  ///< as it stands in the archive
    std::uint16_t version_needed = 20;
    std::uint16_t internal_attributes = 0;
    std::uint16_t made_by = 3 << 8 | 20;  ///< Unix, version 2.0
    std::uint16_t flags = 0;
    std::uint16_t method = zip_stored;
    std::uint16_t time = 0;
    std::uint16_t date = 1 << 5 | 1;  ///< 1980-01-01, as NumPy writes it: equal input makes equal bytes
    std::uint32_t crc32 = 0;
    std::uint64_t compressed = 0;  ///< bytes in the archive
    std::uint64_t size = 0;        ///< bytes of the member
    std::uint32_t attributes = 0600U << 16;
    std::uint64_t header_offset = 0;  ///< of the local header, from the start of the file
    std::uint64_t room_end = 0;       ///< where the next member or the directory begins
    std::string comment = {};
    std::vector<zip_piece> pieces = {};
    std::string extra = {};  ///< fields of the directory that are nobody's here, as they are
};

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] std::string zip_method_name(std::uint16_t method);

/// Little-endian numbers in a record, by their offset.
class zip_fields {
  public:
    explicit zip_fields(std::span<const std::byte> record) noexcept : record_(record) {}

    [[nodiscard]] std::uint16_t half(std::size_t at) const noexcept;
    [[nodiscard]] std::uint32_t word(std::size_t at) const noexcept;
    [[nodiscard]] std::uint64_t quad(std::size_t at) const noexcept { return number(at, 8); }

  private:
    [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t width) const noexcept;

    std::span<const std::byte> record_;
};

/// A number that does not fit is written as all ones, and again in the 64-bit extra field.
[[nodiscard]] constexpr bool zip_needs_64(std::uint64_t value) noexcept { return value >= 0xffff'ffff; }

/// Bytes of extra fields that a local header at `offset` needs for the member's data to be aligned, if it is to be, and
/// for sizes of 64 bits.
[[nodiscard]] std::uint64_t zip_extra_size(std::uint64_t offset, std::size_t name_size, bool is_64, bool aligned);

/// @param extra_size  what `zip_extra_size` said
/// @see APPNOTE 4.3.7
[[nodiscard]] std::string zip_local_text(const zip_entry& entry, bool is_64, std::uint64_t extra_size);

/// @see APPNOTE 4.3.12
[[nodiscard]] std::string zip_entry_text(const zip_entry& entry);

/// What follows the directory.
/// @see APPNOTE 4.3.14 to 4.3.16
[[nodiscard]] std::string zip_end_text(std::uint64_t entries, std::uint64_t directory_offset,
                                       std::uint64_t directory_size, const std::string& comment);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/records.ipp>
#endif
