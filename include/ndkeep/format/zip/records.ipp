// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/zip/records.hpp>.
#pragma once

#include <ndkeep/format/zip/records.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI::detail {

// The padding field of Android's zipalign: two bytes with the alignment, then zeros.
inline constexpr std::uint16_t zip_extra_pad = 0xd935;

// The npy header in a member has a multiple of 64 bytes, so the array data is aligned too and can be mapped.
inline constexpr std::uint64_t zip_data_alignment = 64;

NDKEEP_INLINE std::string zip_method_name(std::uint16_t method) {
    switch (method) {
    case zip_stored:
        return "stored";
    case zip_deflated:
        return "deflate";
    // Not supported; the names are for errors.
    case 9:
        return "deflate64";
    case 12:
        return "bzip2";
    case 14:
        return "LZMA";
    case 93:
        return "Zstandard";
    case 95:
        return "xz";
    default:
        return "method " + std::to_string(method);
    }
}

NDKEEP_INLINE std::uint16_t zip_fields::half(std::size_t at) const noexcept {
    return static_cast<std::uint16_t>(number(at, 2));
}

NDKEEP_INLINE std::uint32_t zip_fields::word(std::size_t at) const noexcept {
    return static_cast<std::uint32_t>(number(at, 4));
}

NDKEEP_INLINE std::uint64_t zip_fields::number(std::size_t at, std::size_t width) const noexcept {
    // Byte by byte: fields are not aligned, and the machine may be big-endian.
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < width; ++i)
        out |= std::to_integer<std::uint64_t>(record_[at + i]) << (8 * i);
    return out;
}

/// Builds a record field by field, in little-endian order.
class zip_record {
  public:
    zip_record& half(std::uint64_t value) { return number(value, 2); }
    zip_record& word(std::uint64_t value) { return number(value, 4); }
    zip_record& quad(std::uint64_t value) { return number(value, 8); }
    zip_record& text(const std::string& bytes) {
        out_ += bytes;
        return *this;
    }
    [[nodiscard]] const std::string& str() const noexcept { return out_; }

  private:
    zip_record& number(std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i)
            out_ += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
        return *this;
    }

    std::string out_;
};

// All ones mark a number that is stored in a 64-bit record or field.
[[nodiscard]] constexpr std::uint64_t zip_word(std::uint64_t value) noexcept {
    return zip_needs_64(value) ? 0xffff'ffff : value;
}

[[nodiscard]] constexpr std::uint64_t zip_half(std::uint64_t value) noexcept {
    return value >= 0xffff ? 0xffff : value;
}

// APPNOTE 4.4.3.2: 2.0 for deflate, 4.5 for 64-bit fields.
[[nodiscard]] NDKEEP_INLINE std::uint16_t zip_version(bool is_64) noexcept { return is_64 ? 45 : 20; }

NDKEEP_INLINE std::uint64_t zip_extra_size(std::uint64_t offset, std::size_t name_size, bool is_64, bool aligned) {
    // The padding field has an id, a length and the alignment, 2 bytes each. A smaller gap gets 64 bytes more.
    constexpr std::uint64_t least_padding = 6;
    // id and length, 2 bytes each, and two numbers of 8 bytes
    const std::uint64_t sizes = is_64 ? 20 : 0;
    const std::uint64_t over = (offset + zip_local_size + name_size + sizes) % zip_data_alignment;
    if (!aligned || over == 0)
        return sizes;
    const std::uint64_t padding = zip_data_alignment - over;
    return sizes + (padding < least_padding ? padding + zip_data_alignment : padding);
}

NDKEEP_INLINE std::string zip_local_text(const zip_entry& entry, bool is_64, std::uint64_t extra_size) {
    zip_record out;
    out.word(zip_local_signature)
        .half(std::max(entry.version_needed, zip_version(is_64)))
        .half(entry.flags)
        .half(entry.method);
    out.half(entry.time).half(entry.date).word(entry.crc32);
    // APPNOTE 4.5.3: in a local header both sizes are in the 64-bit field, or none.
    out.word(is_64 ? 0xffff'ffff : entry.compressed).word(is_64 ? 0xffff'ffff : entry.size);
    out.half(entry.raw_name.size()).half(extra_size).text(entry.raw_name);
    // What remains of the extra fields after the 64-bit sizes is padding.
    std::uint64_t padding = extra_size;
    if (is_64) {
        out.half(zip_extra64).half(16).quad(entry.size).quad(entry.compressed);
        padding -= 20;
    }
    if (padding != 0) {
        out.half(zip_extra_pad).half(padding - 4).half(zip_data_alignment);
        out.text(std::string(static_cast<std::size_t>(padding - 6), '\0'));
    }
    return out.str();
}

NDKEEP_INLINE std::string zip_entry_text(const zip_entry& entry) {
    zip_record extra;
    // APPNOTE 4.5.3: only the numbers that do not fit, in this order.
    for (const std::uint64_t value : {entry.size, entry.compressed, entry.header_offset})
        if (zip_needs_64(value))
            extra.quad(value);
    std::string fields = extra.str();
    const bool is_64 = !fields.empty();
    if (is_64)
        fields = zip_record().half(zip_extra64).half(fields.size()).text(fields).str();
    fields += entry.extra;
    constexpr std::size_t longest_entry = 0xffff;  // APPNOTE 4.4.10: header, name, extra fields and comment together
    // The list of pieces is a hint, so it is left out if the entry would become too long.
    const std::size_t all = zip_entry_size + entry.raw_name.size() + fields.size() + entry.comment.size();
    if (entry.pieces.size() > 1 && all + 4 + 8 * entry.pieces.size() <= longest_entry) {
        zip_record list;
        list.text(fields).half(zip_extra_pieces).half(8 * entry.pieces.size());
        for (const zip_piece& piece : entry.pieces)
            list.word(piece.compressed).word(piece.size);
        fields = list.str();
    }
    zip_record out;
    out.word(zip_entry_signature)
        // The upper byte is the system, on which the meaning of the attributes depends. Only the version may be raised.
        .half((entry.made_by & 0xff00) | std::max<std::uint16_t>(entry.made_by & 0xff, zip_version(is_64)));
    out.half(std::max(entry.version_needed, zip_version(is_64)))
        .half(entry.flags)
        .half(entry.method)
        .half(entry.time)
        .half(entry.date);
    out.word(entry.crc32).word(zip_word(entry.compressed)).word(zip_word(entry.size));
    out.half(entry.raw_name.size()).half(fields.size()).half(entry.comment.size());
    // The 0 is the number of the disk.
    out.half(0).half(entry.internal_attributes).word(entry.attributes).word(zip_word(entry.header_offset));
    out.text(entry.raw_name).text(fields).text(entry.comment);
    return out.str();
}

NDKEEP_INLINE std::string zip_end_text(std::uint64_t entries, std::uint64_t directory_offset,
                                       std::uint64_t directory_size, const std::string& comment) {
    zip_record out;
    // All ones in the short record mean "see the 64-bit record", so a value of all ones needs it as well.
    if (entries >= 0xffff || zip_needs_64(directory_offset) || zip_needs_64(directory_size)) {
        // APPNOTE 4.3.14.1: the length of the record excludes the signature and the length itself. Made by Unix with
        // version 4.5. The locator points to this record, which follows the directory.
        out.word(zip_end64_signature).quad(zip_end64_size - 12).half(3 << 8 | 45).half(45).word(0).word(0);
        out.quad(entries).quad(entries).quad(directory_size).quad(directory_offset);
        out.word(zip_locator_signature).word(0).quad(directory_offset + directory_size).word(1);
    }
    out.word(zip_end_signature).half(0).half(0).half(zip_half(entries)).half(zip_half(entries));
    out.word(zip_word(directory_size)).word(zip_word(directory_offset)).half(comment.size()).text(comment);
    return out.str();
}

}  // namespace ndkeep::detail
