// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/zip/directory.hpp>.
//
// Archives are treated as hostile. Every length is checked before it is used for memory or an offset, and an archive
// that two programs could read differently is rejected. The steps:
//   1. Find the end record in the last 65,557 bytes. Its comment must end with the file.
//   2. Read the 64-bit end record if present. Both records must agree.
//   3. Compare the size of the directory with the file and with the limit, find where it begins, and read it.
//   4. Read the entries. Their number must be that of the end record.
//   5. Limit each member to the room before the next one.
//   6. When a member is opened, check its flags, method and sizes, and the name in its local header.
#pragma once

#include <ndkeep/format/zip/directory.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/foreign.hpp>
#include <ndkeep/format/zip/entry.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// What the end record says about the directory.
struct zip_end {
    std::uint64_t entries = 0;
    std::uint64_t directory_size = 0;
    std::uint64_t directory_offset = 0;  // as stored, without a prefix
    std::uint64_t at = 0;                // of the end record, where the directory should end
};

/// Step 2: reads the end record at `at`, and the 64-bit record before it if present.
/// @throws format_error  an archive in several files, a missing 64-bit record, or two records that disagree
/// @see APPNOTE 4.3.14 to 4.3.16
[[nodiscard]] NDKEEP_INLINE zip_end read_zip_end(const byte_source& archive, std::uint64_t at) {
    std::array<std::byte, zip_end_size> bytes = {};
    archive.read(at, bytes);
    const zip_fields record(bytes);
    // The number of this disk, that of the disk with the directory, and the entries on this disk and in total.
    if (record.half(4) != 0 || record.half(6) != 0 || record.half(8) != record.half(10)) {
        // APPNOTE 4.4.19 and 4.4.20: all ones mean that the 64-bit record has the number.
        const bool in_the_64_bit_form = record.half(4) == 0xffff || record.half(6) == 0xffff;
        if (!in_the_64_bit_form)
            throw malformed(archive.path(), "end record", "an archive in one file", "one part of several");
    }
    zip_end end{record.half(10), record.word(12), record.word(16), at};
    const bool needs_more =
        end.entries == 0xffff || end.directory_size == 0xffff'ffff || end.directory_offset == 0xffff'ffff;
    // All ones need not mean a 64-bit record: 65,535 can be the true number of members. A full offset does need one.
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
    // The number of the disk with the 64-bit record, and the number of disks: APPNOTE 4.3.15.
    if (locator.word(4) != 0 || locator.word(16) > 1)
        throw malformed(archive.path(), "end record", "an archive in one file", "one part of several");

    // The locator has the offset of the record. With bytes before the archive that offset is too small; the record is
    // then expected just before the locator.
    std::array<std::byte, zip_end64_size> bytes64 = {};
    const std::uint64_t most = at - zip_locator_size;
    // The second candidate must not wrap if the file is too short for the record.
    for (const std::uint64_t place : {locator.quad(8), most - std::min(most, zip_end64_size)}) {
        if (place > most || most - place < zip_end64_size)
            continue;
        archive.read(place, bytes64);
        const zip_fields record64(bytes64);
        if (record64.word(0) != zip_end64_signature)
            continue;
        if (record64.word(16) != 0 || record64.word(20) != 0 || record64.quad(24) != record64.quad(32))
            throw malformed(archive.path(), "end record", "an archive in one file", "one part of several");
        // A field of the short record that is not all ones must agree with the 64-bit record. Otherwise two programs
        // could read two different archives from the same bytes.
        const auto agrees = [](std::uint64_t said, std::uint64_t full, std::uint64_t wide) {
            return said == full || said == wide;
        };
        const zip_end wide{record64.quad(32), record64.quad(40), record64.quad(48), place};
        if (!agrees(end.entries, 0xffff, wide.entries) ||
            !agrees(end.directory_size, 0xffff'ffff, wide.directory_size) ||
            !agrees(end.directory_offset, 0xffff'ffff, wide.directory_offset))
            throw malformed(archive.path(), "end record", "equal to the 64-bit end record", "different");
        return wide;
    }
    return without("a 64-bit end record");
}

/// Step 5: limits each member to the room before the next one. Overlapping members are how a small archive expands to a
/// huge one (CVE-2024-0450). Members at the same offset get no room, so neither can be read.
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
        // The last member ends where the directory begins, and no member extends into it.
        entry.room_end = shared ? entry.header_offset : std::min(next, directory.offset);
    }
}

/// Steps 2 to 5: reads the directory that the end record at `at` refers to.
[[nodiscard]] NDKEEP_INLINE zip_directory read_zip_entries(const byte_source& archive, std::uint64_t at,
                                                           const limits& limit) {
    const auto& file = archive.path();
    const zip_end end = read_zip_end(archive, at);
    // The directory lies before its end record. This also keeps the differences below from wrapping.
    if (end.directory_size > end.at)
        throw malformed(file, "central directory", "at most " + counted(end.at, "byte"),
                        counted(end.directory_size, "byte"));
    // Before the directory is allocated: an entry has at least `zip_entry_size` bytes. Very long names can exceed this
    // bound with fewer members.
    if (end.directory_size / zip_entry_size > limit.members)
        throw malformed(file, "central directory",
                        "at most " + counted(zip_entry_size * limit.members, "byte") + " for " +
                            counted(limit.members, "member"),
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
        throw malformed(file, "central directory", "at byte " + std::to_string(directory.offset) + " at most",
                        "at byte " + std::to_string(end.directory_offset));
    // Python assumes the same: a directory that ends later than its offset and size say has that many bytes before the
    // archive, as in a self-extracting archive.
    directory.prefix = directory.offset - end.directory_offset;
    // Bytes before the archive, and bytes between the directory and the end record, give the same numbers here. The
    // signature of the first entry decides.
    if (directory.prefix != 0 && end.directory_size != 0 && !is_entry(directory.offset) &&
        is_entry(end.directory_offset)) {
        directory.offset = end.directory_offset;
        directory.prefix = 0;
    }
    // An empty directory has no signature that confirms its position.
    if (end.directory_size == 0 && directory.prefix != 0)
        throw malformed(file, "central directory", "members", "empty after " + counted(directory.prefix, "byte"));

    // The directory is inside of the file and within the limit, so its size is safe to allocate.
    std::vector<std::byte> bytes(static_cast<std::size_t>(end.directory_size));
    archive.read(directory.offset, bytes);
    std::span<const std::byte> rest(bytes.data(), bytes.size());
    while (!rest.empty()) {
        if (directory.entries.size() == limit.members)
            throw malformed(file, "central directory", "at most " + counted(limit.members, "member"), "more",
                            "limits{.members = …} reads more");
        directory.entries.push_back(read_zip_entry(rest, directory.prefix, file));
    }
    // Only the low 16 bits are compared: older programs wrote more than 65,535 members without a 64-bit record, and the
    // number wrapped. Python ignores it and uses the size of the directory.
    if ((directory.entries.size() & 0xffff) != (end.entries & 0xffff))
        throw malformed(file, "end record", counted(directory.entries.size(), "member"),
                        counted(end.entries, "member"));
    bound_zip_entries(directory);
    return directory;
}

/// The error for a file without an end record: it names the format, if that is known.
[[nodiscard]] NDKEEP_INLINE format_error no_zip_end(const byte_source& archive, std::uint64_t size) {
    std::array<std::byte, foreign_bytes> bytes = {};
    const auto begin = std::span(bytes).first(static_cast<std::size_t>(std::min<std::uint64_t>(size, bytes.size())));
    archive.read(0, begin);
    const std::string_view text(reinterpret_cast<const char*>(begin.data()), begin.size());
    const foreign_format is = foreign_format_of(text);
    std::string hint = "the file is not a zip archive, or it is cut short";
    if (size == 0)
        hint = "the file is empty";
    else if (text.starts_with("PK\x03\x04"))
        hint =
            "the archive is cut short, or followed by other bytes; recover_npz saves its complete members, restore_npz "
            "cuts off what follows";
    else if (text.starts_with("PK\x05\x06"))
        hint = "the archive is empty, and cut short or followed by other bytes";
    else if (!is.name.empty())
        hint = "the file is " + std::string(is.name) + ": " + std::string(is.hint);
    return malformed(archive.path(), "end record", "at the end of the file", "missing", std::move(hint));
}

NDKEEP_INLINE zip_directory read_zip_directory(const byte_source& archive, std::uint64_t size, const limits& limit) {
    const auto& file = archive.path();
    constexpr std::uint64_t longest_comment = 0xffff;
    // APPNOTE 4.3.16: the length of the comment has 16 bits, so the end record starts in these last bytes.
    const std::uint64_t looked_at = std::min(size, zip_end_size + longest_comment);
    std::vector<std::byte> tail(static_cast<std::size_t>(looked_at));
    archive.read(size - looked_at, tail);

    // A comment can contain bytes that look like an end record. A candidate counts only if its comment ends with the
    // file. If two candidates lead to a directory, the archive is ambiguous: programs would disagree about its members.
    constexpr int most_candidates = 16;  // each may cost the reading of a long directory that fails at its end
    std::optional<zip_directory> found;
    std::optional<format_error> refused;
    int candidates = 0;
    // From the end of the file backwards. A record has at least 22 bytes, so every `at` leaves room for one.
    for (std::size_t at = tail.size() - std::min<std::size_t>(tail.size(), zip_end_size - 1); at-- > 0;) {
        if (tail[at] != std::byte{'P'} || tail[at + 1] != std::byte{'K'})
            continue;
        const auto bytes = std::span<const std::byte>(tail.data(), tail.size()).subspan(at);
        const zip_fields record(bytes);
        if (record.word(0) != zip_end_signature || record.half(20) != bytes.size() - zip_end_size)
            continue;
        // Without this bound a crafted comment could make the reader read the same large directory thousands of times.
        if (++candidates > most_candidates)
            throw malformed(file, "end record", "one", "more than " + std::to_string(most_candidates) + " candidates");
        try {
            auto directory = read_zip_entries(archive, size - looked_at + at, limit);
            if (found)
                throw malformed(file, "end record", "one", "two valid candidates",
                                "the comment holds a second archive");
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
        throw no_zip_end(archive, size);
    return std::move(*found);
}

NDKEEP_INLINE void check_zip_method(const zip_entry& entry, const std::filesystem::path& file) {
    const std::string field = member_field(entry.name);
    if ((entry.flags & (zip_flag_encrypted | zip_flag_strong_encryption | zip_flag_masked)) != 0)
        throw malformed(file, field, "not encrypted", "encrypted");
    if ((entry.flags & zip_flag_patch) != 0)
        throw malformed(file, field, "complete data", "a patch");
    if (entry.method != zip_stored && entry.method != zip_deflated)
        throw malformed(file, field + ": compression", "stored or deflate", zip_method_name(entry.method));
    // Data that is stored has one size. Two would let the reader pass the end of the member.
    if (entry.method == zip_stored && entry.compressed != entry.size)
        throw malformed(file, field + ": stored size", counted(entry.size, "byte"), counted(entry.compressed, "byte"));
    // Deflate encodes at most 258 bytes in 2 bits, so a byte expands to at most 1032. A larger size is false and must
    // be rejected before memory is allocated for it.
    constexpr std::uint64_t most_per_byte = 1032;
    if (entry.method == zip_deflated && entry.size / most_per_byte > entry.compressed)
        throw malformed(file, field + ": size", "at most " + counted(entry.compressed * most_per_byte, "byte"),
                        counted(entry.size, "byte"), "no deflate stream expands that far");
}

NDKEEP_INLINE std::uint64_t zip_data_offset(const byte_source& archive, const zip_entry& entry) {
    const auto& file = archive.path();
    // 0 if the member begins after the directory.
    const auto room = entry.room_end - std::min(entry.room_end, entry.header_offset);
    const auto check_room = [&](std::uint64_t head) {
        if (head > room || entry.compressed > room - head)
            throw malformed(file, member_field(entry.name), "at most " + counted(room, "byte") + " in the file",
                            counted(entry.compressed, "byte"), "it overlaps what follows");
    };
    const std::uint64_t named = zip_local_size + entry.raw_name.size();
    // Before anything is read, because the header may lie beyond the end of the room.
    check_room(named);
    std::vector<std::byte> bytes(static_cast<std::size_t>(named));
    archive.read(entry.header_offset, bytes);
    const zip_fields local({bytes.data(), bytes.size()});
    if (local.word(0) != zip_local_signature)
        throw malformed(file, member_field(entry.name) + ": local header",
                        "at byte " + std::to_string(entry.header_offset), "missing");
    const std::string_view name(reinterpret_cast<const char*>(bytes.data()) + zip_local_size, entry.raw_name.size());
    // Streaming programs read local headers, others the directory. Both must see the same name. Sizes and CRC of the
    // local header may be 0 (APPNOTE 4.4.4, bit 3), so only those of the directory are used.
    if (local.half(26) != entry.raw_name.size())
        throw malformed(file, member_field(entry.name) + ": name in its local header", "the same",
                        "a name of " + counted(local.half(26), "byte"));
    if (name != entry.raw_name)
        throw malformed(file, member_field(entry.name) + ": name in its local header", "the same",
                        ndkeep::quoted(name));
    // The extra fields here may be longer than those of the directory, so only this header tells where the data begins.
    const std::uint64_t head = named + local.half(28);
    check_room(head);
    return entry.header_offset + head;
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE std::string member_field(std::string_view name) { return "member " + ndkeep::quoted(name); }

}  // namespace ndkeep::core
