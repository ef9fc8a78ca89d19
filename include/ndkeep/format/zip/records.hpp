// SPDX-License-Identifier: BSD-3-Clause
// The records of a zip archive: signatures, sizes, fields, and the bytes of new records. "APPNOTE" is PKWARE's .ZIP
// File Format Specification, version 6.3.
//
// Layout of an archive. The directory is authoritative; local headers let a program read without seeking:
//   members      for each one a local header, its name and extra fields, and the data
//   directory    for each member an entry, its name, extra fields and comment
//   64-bit end   a 64-bit end record and a locator that points to it, if a number exceeds the end record
//   end          the end record, which points to the directory, and a comment
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
inline constexpr std::uint32_t zip_descriptor_signature = 0x08074b50;

// Bytes of each record without its name, extra fields and comment.
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
inline constexpr std::uint16_t zip_extra_pieces = 0x6b6e;  // "nk", not registered: a list of zip_piece

// A piece takes 8 bytes in the extra fields, which have at most 65,535. The rest is left for other fields.
inline constexpr std::size_t most_zip_pieces = 8000;

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

/// Compression methods: stored without compression, or a deflate stream.
/// @see APPNOTE 4.4.5
inline constexpr std::uint16_t zip_stored = 0;
inline constexpr std::uint16_t zip_deflated = 8;

/// One piece of a deflate stream whose pieces can be expanded independently, and so in parallel.
///
/// The directory lists the pieces in a private extra field, two 32-bit words per piece. The list is a hint: programs
/// that do not know it read the stream as usual.
struct zip_piece {
    std::uint32_t compressed = 0;  ///< bytes in the archive
    std::uint32_t size = 0;        ///< bytes of the member
};

/// The directory's entry for one member.
struct zip_entry {
    std::string name = {};      ///< UTF-8
    std::string raw_name = {};  ///< the bytes in the archive, UTF-8 or code page 437
    std::uint16_t version_needed = 20;
    std::uint16_t internal_attributes = 0;
    std::uint16_t made_by = 3 << 8 | 20;  ///< Unix, version 2.0
    std::uint16_t flags = 0;
    std::uint16_t method = zip_stored;
    std::uint16_t time = 0;
    std::uint16_t date = 1 << 5 | 1;  ///< 1980-01-01 as in NumPy: equal input gives equal bytes
    std::uint32_t crc32 = 0;
    std::uint64_t compressed = 0;            ///< bytes in the archive
    std::uint64_t size = 0;                  ///< bytes of the member
    std::uint32_t attributes = 0600U << 16;  ///< Unix permissions in the upper half, as in NumPy
    std::uint64_t header_offset = 0;         ///< of the local header, from the start of the file
    std::uint64_t room_end = 0;              ///< offset of the next member, or of the directory
    std::string comment = {};
    std::vector<zip_piece> pieces = {};
    std::string extra = {};  ///< other extra fields of the directory, kept unchanged
};

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The name of a compression method, for errors.
/// @see APPNOTE 4.4.5
[[nodiscard]] std::string zip_method_name(std::uint16_t method);

/// The little-endian numbers of a record, by their offset. The caller has checked that the record is long enough.
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

/// Whether a number needs 64 bits. Its 32-bit field is then all ones, and the number is in the 64-bit extra field. All
/// ones itself is included, because a reader could not tell it from the mark.
[[nodiscard]] constexpr bool zip_needs_64(std::uint64_t value) noexcept { return value >= 0xffff'ffff; }

/// Bytes of extra fields in a local header at `offset`: 64-bit sizes if `is_64`, and padding if `aligned`, so that the
/// data begins at a multiple of 64.
[[nodiscard]] std::uint64_t zip_extra_size(std::uint64_t offset, std::size_t name_size, bool is_64, bool aligned);

/// The bytes of a local header.
///
/// @param is_64       write 64-bit sizes, also if they are small
/// @param extra_size  the result of `zip_extra_size` for the same member
/// @see APPNOTE 4.3.7
[[nodiscard]] std::string zip_local_text(const zip_entry& entry, bool is_64, std::uint64_t extra_size);

/// The bytes of a directory entry. Numbers that fit 32 bits are written as such, as CPython does.
/// @see APPNOTE 4.3.12
[[nodiscard]] std::string zip_entry_text(const zip_entry& entry);

/// The records after the directory: the end record, and before it the 64-bit one with its locator if a number needs it.
/// @see APPNOTE 4.3.14 to 4.3.16
[[nodiscard]] std::string zip_end_text(std::uint64_t entries, std::uint64_t directory_offset,
                                       std::uint64_t directory_size, const std::string& comment);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/records.ipp>
#endif
