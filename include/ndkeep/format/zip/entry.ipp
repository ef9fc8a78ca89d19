// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/zip/entry.hpp>.
#pragma once

#include <ndkeep/format/zip/entry.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/code_page.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE bool name_zip_entry(zip_entry& entry) {
    const bool utf8 = (entry.flags & zip_flag_utf8) != 0;
    // Names are UTF-8 in the rest of the library. A false flag must not let other bytes in.
    if (utf8 && !is_utf8(entry.raw_name))
        return false;
    entry.name = utf8 ? entry.raw_name : from_code_page_437(entry.raw_name);
    entry.name.resize(std::min(entry.name.size(), entry.name.find('\0')));  // as Python does
    return true;
}

NDKEEP_INLINE bool read_zip_extra64(std::span<const std::byte> content, zip_entry& entry) {
    std::size_t at = 0;
    for (std::uint64_t* const field : {&entry.size, &entry.compressed, &entry.header_offset}) {
        if (*field != 0xffff'ffff)
            continue;
        // The length of the content comes from the file.
        if (at + 8 > content.size())
            return false;
        *field = zip_fields(content).quad(at);
        at += 8;
    }
    return true;
}

/// Reads the list of pieces. It is a hint from the file, so it is compared with the sizes before it is used.
NDKEEP_INLINE void read_zip_pieces(std::span<const std::byte> content, zip_entry& entry) {
    const zip_fields words(content);
    entry.pieces.clear();
    for (std::size_t at = 0; at + 8 <= content.size(); at += 8)
        entry.pieces.push_back({words.word(at), words.word(at + 4)});
}

NDKEEP_INLINE zip_entry read_zip_entry(std::span<const std::byte>& rest, std::uint64_t prefix,
                                       const std::filesystem::path& file) {
    const auto refuse = [&](std::string_view expected, std::string_view found) -> format_error {
        return malformed(file, "central directory", std::string(expected), std::string(found));
    };
    if (rest.size() < zip_entry_size)
        throw refuse("whole entries", "cut short");
    const zip_fields fixed(rest);
    if (fixed.word(0) != zip_entry_signature)
        throw refuse("an entry", "other bytes");
    const std::size_t name_size = fixed.half(28), extra_size = fixed.half(30), comment_size = fixed.half(32);
    if (rest.size() - zip_entry_size < name_size + extra_size + comment_size)
        throw refuse("whole entries", "cut short");
    const auto text = [&](std::size_t at, std::size_t length) {
        const auto bytes = rest.subspan(at, length);
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };

    zip_entry entry;
    entry.made_by = fixed.half(4);
    entry.version_needed = fixed.half(6);
    entry.internal_attributes = fixed.half(36);
    entry.flags = fixed.half(8);
    entry.method = fixed.half(10);
    entry.time = fixed.half(12);
    entry.date = fixed.half(14);
    entry.crc32 = fixed.word(16);
    entry.compressed = fixed.word(20);
    entry.size = fixed.word(24);
    entry.attributes = fixed.word(38);
    entry.header_offset = fixed.word(42);
    entry.raw_name = text(zip_entry_size, name_size);
    entry.comment = text(zip_entry_size + name_size + extra_size, comment_size);
    if (!name_zip_entry(entry))
        throw refuse("names in UTF-8", ndkeep::quoted(entry.raw_name));

    auto extra = rest.subspan(zip_entry_size + name_size, extra_size);
    // APPNOTE 4.5.1: an id and a length of 2 bytes each, then the content.
    while (extra.size() >= 4) {
        const zip_fields head(extra);
        const std::size_t length = head.half(2);
        if (length > extra.size() - 4)
            throw refuse("whole extra fields", "cut short");
        const auto content = extra.subspan(4, length);
        if (head.half(0) == zip_extra64 && !read_zip_extra64(content, entry))
            throw refuse("64-bit sizes", "cut short");
        if (head.half(0) == zip_extra_pieces)
            read_zip_pieces(content, entry);
        else if (head.half(0) != zip_extra64)
            entry.extra += std::string(reinterpret_cast<const char*>(extra.data()), 4 + length);
        extra = extra.subspan(4 + length);
    }
    // The offset comes from the file, and may have 64 bits.
    if (entry.header_offset > std::numeric_limits<std::uint64_t>::max() - prefix)
        throw refuse("offsets within the file", "an offset beyond it");
    entry.header_offset += prefix;
    rest = rest.subspan(zip_entry_size + name_size + extra_size + comment_size);
    return entry;
}

}  // namespace ndkeep::detail
