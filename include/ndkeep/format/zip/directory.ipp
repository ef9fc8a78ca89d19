// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/zip/directory.hpp>.
#pragma once

#include <ndkeep/format/zip/directory.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/code_page.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads the central directory, which alone says what an archive holds; members are not touched.
///
/// @param size  bytes of the whole archive
/// @throws format_error  not a zip archive, cut short, a directory that lies, too many members
/// @see APPNOTE 4.3.12 to 4.3.16
[[nodiscard]] NDKEEP_INLINE zip_directory read_zip_directory(const byte_source& archive, std::uint64_t size,
                                                             const limits& limit = {});

/// Checks that a member can be read: its method, and sizes that can be true.
/// @throws format_error  what is not read here, by its name
NDKEEP_INLINE void check_zip_method(const zip_entry& entry, const std::filesystem::path& file);

/// Where the bytes of a member begin, found through its local header, which must agree with the directory.
///
/// @throws format_error  another local header, or members that overlap
/// @see APPNOTE 4.3.7
[[nodiscard]] NDKEEP_INLINE std::uint64_t zip_data_offset(const byte_source& archive, const zip_entry& entry);

/// What the end of an archive says about its directory.
struct zip_end {
    std::uint64_t entries = 0;
    std::uint64_t directory_size = 0;
    std::uint64_t directory_offset = 0;  // as it says
    std::uint64_t at = 0;                // where the directory should end
};

/// The end record at `at`, or its 64-bit form before it.
/// @throws format_error  it is not what it should be
[[nodiscard]] NDKEEP_INLINE zip_end read_zip_end(const byte_source& archive, std::uint64_t at) {
    std::array<std::byte, zip_end_size> bytes = {};
    archive.read(at, bytes);
    const zip_fields record(bytes);
    if (record.half(4) != 0 || record.half(6) != 0 || record.half(8) != record.half(10)) {
        const bool in_the_64_bit_form = record.half(4) == 0xffff || record.half(6) == 0xffff;
        if (!in_the_64_bit_form)
            throw malformed(archive.path(), "end record", "an archive in one file", "one part of several");
    }
    zip_end end{record.half(10), record.word(12), record.word(16), at};
    const bool needs_more =
        end.entries == 0xffff || end.directory_size == 0xffff'ffff || end.directory_offset == 0xffff'ffff;
    const auto without = [&](std::string_view missing) {
        if (needs_more && end.directory_offset == 0xffff'ffff)
            throw malformed(archive.path(), "end record", std::string(missing), "missing");
        return end;
    };
    if (at < zip_locator_size)
        return without("a 64-bit locator");
    std::array<std::byte, zip_locator_size> locator_bytes = {};
    archive.read(at - locator_bytes.size(), locator_bytes);
    const zip_fields locator(locator_bytes);
    if (locator.word(0) != zip_locator_signature)
        return without("a 64-bit locator");

    // Where it says, or, in an archive with something before it, just before the locator.
    std::array<std::byte, zip_end64_size> bytes64 = {};
    const std::uint64_t most = at - zip_locator_size;
    for (const std::uint64_t place : {locator.quad(8), most - std::min(most, zip_end64_size)}) {
        if (place > most || most - place < zip_end64_size)
            continue;
        archive.read(place, bytes64);
        const zip_fields record64(bytes64);
        if (record64.word(0) != zip_end64_signature)
            continue;
        if (record64.word(16) != 0 || record64.word(20) != 0 || record64.quad(24) != record64.quad(32))
            throw malformed(archive.path(), "end record", "an archive in one file", "one part of several");
        // A field of the short record that is not full is to agree: else two programs would read two archives.
        const auto agrees = [](std::uint64_t said, std::uint64_t full, std::uint64_t wide) {
            return said == full || said == wide;
        };
        const zip_end wide{record64.quad(32), record64.quad(40), record64.quad(48), place};
        if (!agrees(end.entries, 0xffff, wide.entries) ||
            !agrees(end.directory_size, 0xffff'ffff, wide.directory_size) ||
            !agrees(end.directory_offset, 0xffff'ffff, wide.directory_offset))
            throw malformed(archive.path(), "end record", "the same as the 64-bit one", "another");
        return wide;
    }
    return without("a 64-bit end record");
}

/// The fields that are full stand here instead, in this order: APPNOTE 4.5.3. False if one is missing.
[[nodiscard]] NDKEEP_INLINE bool read_zip_extra64(std::span<const std::byte> content, zip_entry& entry) {
    std::size_t at = 0;
    for (std::uint64_t* const field : {&entry.size, &entry.compressed, &entry.header_offset}) {
        if (*field != 0xffff'ffff)
            continue;
        if (at + 8 > content.size())
            return false;
        *field = zip_fields(content).quad(at);
        at += 8;
    }
    return true;
}

NDKEEP_INLINE void read_zip_pieces(std::span<const std::byte> content, zip_entry& entry) {
    const zip_fields words(content);
    entry.pieces.clear();
    for (std::size_t at = 0; at + 8 <= content.size(); at += 8)
        entry.pieces.push_back({words.word(at), words.word(at + 4)});
}

/// One entry of the directory; `rest` is cut by it.
[[nodiscard]] NDKEEP_INLINE zip_entry read_zip_entry(std::span<const std::byte>& rest, std::uint64_t prefix,
                                                     const std::filesystem::path& file) {
    const auto refuse = [&](std::string_view expected, std::string_view found) -> format_error {
        return malformed(file, "central directory", std::string(expected), std::string(found));
    };
    if (rest.size() < zip_entry_size)
        throw refuse("whole entries", "cut short");
    const zip_fields fixed(rest);
    if (fixed.word(0) != zip_entry_signature)
        throw refuse("an entry", "something else");
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
    const bool utf8 = (entry.flags & zip_flag_utf8) != 0;
    if (utf8 && !is_utf8(entry.raw_name))
        throw refuse("names in UTF-8", printed(entry.raw_name));
    entry.name = utf8 ? entry.raw_name : from_code_page_437(entry.raw_name);
    entry.name.resize(std::min(entry.name.size(), entry.name.find('\0')));  // as Python reads it

    auto extra = rest.subspan(zip_entry_size + name_size, extra_size);
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
    if (entry.header_offset > std::numeric_limits<std::uint64_t>::max() - prefix)
        throw refuse("offsets within the file", "more");
    entry.header_offset += prefix;
    rest = rest.subspan(zip_entry_size + name_size + extra_size + comment_size);
    return entry;
}

/// Bounds each member by where the next one begins. Two that begin at one place leave no room for either.
NDKEEP_INLINE void bound_zip_entries(zip_directory& directory) {
    auto& entries = directory.entries;
    std::vector<std::size_t> order(entries.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return entries[a].header_offset < entries[b].header_offset; });
    for (std::size_t i = 0; i < order.size(); ++i) {
        zip_entry& entry = entries[order[i]];
        const bool shared = i > 0 && entries[order[i - 1]].header_offset == entry.header_offset;
        const std::uint64_t next = i + 1 < order.size() ? entries[order[i + 1]].header_offset : directory.offset;
        entry.room_end = shared ? entry.header_offset : std::min(next, directory.offset);
    }
}

/// The directory that the end record at `at` leads to.
[[nodiscard]] NDKEEP_INLINE zip_directory read_zip_entries(const byte_source& archive, std::uint64_t at,
                                                           const limits& limit) {
    const auto& file = archive.path();
    const zip_end end = read_zip_end(archive, at);
    if (end.directory_size > end.at)
        throw malformed(file, "central directory", "at most " + counted(end.at, "byte"),
                        counted(end.directory_size, "byte"));
    if (end.directory_size / zip_entry_size > limit.members)
        throw malformed(file, "central directory", "at most " + counted(limit.members, "member"),
                        counted(end.directory_size, "byte"), "limits{.members = …} reads more");
    zip_directory directory;
    const auto is_entry = [&](std::uint64_t offset) {
        std::array<std::byte, 4> signature = {};
        if (offset > end.at || end.at - offset < signature.size())
            return false;
        archive.read(offset, signature);
        return zip_fields(signature).word(0) == zip_entry_signature;
    };
    directory.offset = end.at - end.directory_size;
    if (end.directory_offset > directory.offset)
        throw malformed(file, "central directory", "at byte " + std::to_string(directory.offset) + " or before",
                        "at byte " + std::to_string(end.directory_offset));
    directory.prefix = directory.offset - end.directory_offset;
    // What is between the directory and its end record, or before the archive, cannot be told apart by numbers alone.
    if (directory.prefix != 0 && end.directory_size != 0 && !is_entry(directory.offset) &&
        is_entry(end.directory_offset)) {
        directory.offset = end.directory_offset;
        directory.prefix = 0;
    }
    if (end.directory_size == 0 && directory.prefix != 0)
        throw malformed(file, "central directory", "members", "none behind " + counted(directory.prefix, "byte"));

    std::vector<std::byte> bytes(static_cast<std::size_t>(end.directory_size));
    archive.read(directory.offset, bytes);
    std::span<const std::byte> rest(bytes.data(), bytes.size());
    while (!rest.empty()) {
        if (directory.entries.size() == limit.members)
            throw malformed(file, "central directory", "at most " + counted(limit.members, "member"), "more",
                            "limits{.members = …} reads more");
        directory.entries.push_back(read_zip_entry(rest, directory.prefix, file));
    }
    // Python goes by the directory's size alone, and so do old archives of more members than 16 bits can count.
    if ((directory.entries.size() & 0xffff) != (end.entries & 0xffff))
        throw malformed(file, "end record", counted(directory.entries.size(), "member"),
                        counted(end.entries, "member"));
    bound_zip_entries(directory);
    return directory;
}

NDKEEP_INLINE zip_directory read_zip_directory(const byte_source& archive, std::uint64_t size, const limits& limit) {
    const auto& file = archive.path();
    constexpr std::uint64_t longest_comment = 0xffff;
    const std::uint64_t looked_at = std::min(size, zip_end_size + longest_comment);
    std::vector<std::byte> tail(static_cast<std::size_t>(looked_at));
    archive.read(size - looked_at, tail);

    // A comment may hold what looks like an end record. Only a comment that ends with the file makes it one, and where
    // two lead to a directory, nobody can say which archive is meant.
    constexpr int most_candidates = 16;  // each may lead to a long directory that is no good at its end
    std::optional<zip_directory> found;
    std::optional<format_error> refused;
    int candidates = 0;
    for (std::size_t at = tail.size() - std::min<std::size_t>(tail.size(), zip_end_size - 1); at-- > 0;) {
        if (tail[at] != std::byte{'P'} || tail[at + 1] != std::byte{'K'})
            continue;
        const auto bytes = std::span<const std::byte>(tail.data(), tail.size()).subspan(at);
        const zip_fields record(bytes);
        if (record.word(0) != zip_end_signature || record.half(20) != bytes.size() - zip_end_size)
            continue;
        if (++candidates > most_candidates)
            throw malformed(file, "end record", "one", "many that fit");
        try {
            auto directory = read_zip_entries(archive, size - looked_at + at, limit);
            if (found)
                throw malformed(file, "end record", "one", "two that fit", "the comment holds a second archive");
            const auto comment = bytes.subspan(zip_end_size);
            directory.comment.assign(reinterpret_cast<const char*>(comment.data()), comment.size());
            found = std::move(directory);
        } catch (const format_error& why) {
            if (found)
                throw;
            if (!refused)
                refused = why;
        }
    }
    if (!found && refused)
        throw *refused;
    if (!found)
        throw malformed(file, "end record", "one at the end", "missing",
                        size == 0 ? "an empty file" : "not a zip archive, or cut short");
    return std::move(*found);
}

NDKEEP_INLINE void check_zip_method(const zip_entry& entry, const std::filesystem::path& file) {
    const std::string field = member_field(entry.name);
    if ((entry.flags & (zip_flag_encrypted | zip_flag_strong_encryption | zip_flag_masked)) != 0)
        throw malformed(file, field, "not encrypted", "encrypted");
    if ((entry.flags & zip_flag_patch) != 0)
        throw malformed(file, field, "whole data", "a patch");
    if (entry.method != zip_stored && entry.method != zip_deflated)
        throw malformed(file, field, "stored or deflate", zip_method_name(entry.method));
    if (entry.method == zip_stored && entry.compressed != entry.size)
        throw malformed(file, field, counted(entry.size, "byte"), counted(entry.compressed, "byte"));
    // Deflate needs 2 bits for 258 bytes at the least: what says more cannot be true, and is not allocated.
    constexpr std::uint64_t most_per_byte = 1032;
    if (entry.method == zip_deflated && entry.size / most_per_byte > entry.compressed)
        throw malformed(file, field, "at most " + counted(entry.compressed * most_per_byte, "byte"),
                        counted(entry.size, "byte"), "no deflate stream expands that far");
}

NDKEEP_INLINE std::uint64_t zip_data_offset(const byte_source& archive, const zip_entry& entry) {
    const auto& file = archive.path();
    const auto room = entry.room_end - std::min(entry.room_end, entry.header_offset);
    const auto check_room = [&](std::uint64_t head) {
        if (head > room || entry.compressed > room - head)
            throw malformed(file, member_field(entry.name), "at most " + counted(room, "byte") + " in the file",
                            counted(entry.compressed, "byte"), "it overlaps what follows it");
    };
    const std::uint64_t named = zip_local_size + entry.raw_name.size();
    check_room(named);
    std::vector<std::byte> bytes(static_cast<std::size_t>(named));
    archive.read(entry.header_offset, bytes);
    const zip_fields local({bytes.data(), bytes.size()});
    if (local.word(0) != zip_local_signature)
        throw malformed(file, member_field(entry.name), "a local header at byte " + std::to_string(entry.header_offset),
                        "something else");
    const std::string_view name(reinterpret_cast<const char*>(bytes.data()) + zip_local_size, entry.raw_name.size());
    if (local.half(26) != entry.raw_name.size())
        throw malformed(file, member_field(entry.name), "the same name in its local header",
                        "a name of " + counted(local.half(26), "byte"));
    if (name != entry.raw_name)
        throw malformed(file, member_field(entry.name), "the same name in its local header", printed(name));
    const std::uint64_t head = named + local.half(28);
    check_room(head);
    return entry.header_offset + head;
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE std::string member_field(std::string_view name) { return "member " + ndkeep::quoted(name); }

}  // namespace ndkeep::core
