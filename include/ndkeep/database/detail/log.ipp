// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/log.hpp>.
#pragma once

#include <ndkeep/database/detail/log.hpp>

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/names.hpp>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::uint64_t record_header_size = 44;
inline constexpr std::uint64_t segment_magic = 0x31474f4c444b444e;  // "NDKDLOG1"
inline constexpr std::uint64_t record_magic = 0x3143455244444b4e;   // "NKDDREC1"

[[nodiscard]] NDKEEP_INLINE std::uint64_t padded(std::uint64_t bytes) {
    return (bytes + log_sector - 1) / log_sector * log_sector;
}

/// The CRC-32C of bytes in a segment, which starts with the salt.
[[nodiscard]] NDKEEP_INLINE std::uint32_t salted(std::uint64_t salt, std::span<const std::byte> bytes = {}) {
    std::array<std::byte, 8> first;
    put_number(first.data(), salt, 8);
    return crc32c(bytes, crc32c(first));
}

/// The header of a record.
struct record_header {
    std::uint64_t number = 0, table_size = 0, payload_size = 0;
    std::uint32_t table_sum = 0, payload_sum = 0;

    [[nodiscard]] std::array<std::byte, record_header_size> bytes(std::uint64_t salt) const {
        std::array<std::byte, record_header_size> out;
        put_number(out.data(), record_magic, 8);
        put_number(out.data() + 8, number, 8);
        put_number(out.data() + 16, table_size, 8);
        put_number(out.data() + 24, payload_size, 8);
        put_number(out.data() + 32, table_sum, 4);
        put_number(out.data() + 36, payload_sum, 4);
        put_number(out.data() + 40, salted(salt, std::span(out).first(40)), 4);
        return out;
    }

    /// Where the record after this one begins, if this one begins at byte `at`.
    [[nodiscard]] std::uint64_t end_from(std::uint64_t at) const {
        return padded(at + record_header_size + table_size + payload_size);
    }

    /// The header at byte `at`; nullopt if there is none, or if its record would not fit into the file.
    [[nodiscard]] static std::optional<record_header> read(const log_segment& from, std::uint64_t at,
                                                           std::uint64_t size) {
        std::array<std::byte, record_header_size> bytes;
        if (at > size || size - at < bytes.size() || from.source.read_some(at, bytes) != bytes.size() ||
            number_at(bytes.data(), 8) != record_magic ||
            number_at(bytes.data() + 40, 4) != salted(from.salt, std::span(bytes).first(40)))
            return std::nullopt;
        const record_header read{number_at(bytes.data() + 8, 8), number_at(bytes.data() + 16, 8),
                                 number_at(bytes.data() + 24, 8),
                                 static_cast<std::uint32_t>(number_at(bytes.data() + 32, 4)),
                                 static_cast<std::uint32_t>(number_at(bytes.data() + 36, 4))};
        const std::uint64_t room = size - at - bytes.size();
        if (read.table_size > room || read.payload_size > room - read.table_size)
            return std::nullopt;
        return read;
    }
};

NDKEEP_INLINE std::span<const std::byte> logged_commit::images_of(std::size_t array) const {
    std::size_t before = 0, own = 0;
    for (std::size_t i = 0; i <= array; ++i) {
        before += own;
        own = 0;
        for (const auto& image : record.arrays[i].images)
            own += static_cast<std::size_t>(image.last - image.first);
    }
    return payload.bytes.subspan(before, own);
}

/// Opens a segment; null if its header is damaged, as after a power cut during its creation.
[[nodiscard]] NDKEEP_INLINE std::shared_ptr<log_segment> open_segment(const directory& hidden, const std::string& name,
                                                                      file::access wanted) {
    auto source = hidden.open_file(name, wanted);
    if (!source)
        return nullptr;
    std::array<std::byte, 28> header;
    if (source->read_some(0, header) != header.size() || number_at(header.data(), 8) != segment_magic ||
        number_at(header.data() + 24, 4) != crc32c(std::span(header).first(24)) ||
        number_at(header.data() + 16, 8) != first_commit_of(name))
        return nullptr;
    const std::uint64_t salt = number_at(header.data() + 8, 8);
    return std::make_shared<log_segment>(log_segment{std::move(*source), first_commit_of(name), salt});
}

NDKEEP_INLINE std::vector<std::string> segments_in(const directory& hidden) {
    auto names = hidden.names();
    std::erase_if(names, [](const std::string& name) { return first_commit_of(name) == 0; });
    std::sort(names.begin(), names.end());
    return names;
}

/// The payload of a record: mapped, or a copy if it is small.
[[nodiscard]] NDKEEP_INLINE kept_bytes kept_payload(const file& source, std::uint64_t at, std::uint64_t size) {
    constexpr std::uint64_t small = std::uint64_t{64} << 10;
    if (size <= small) {
        auto copy = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(size));
        source.read(at, *copy);
        return {*copy, copy};
    }
    auto mapped = std::make_shared<const mapping>(mapping::open(source, at, size, map_mode::read_only));
    return {{mapped->data(), mapped->size()}, mapped};
}

/// Reads the record at byte `at`; nullopt if it is not complete and sound.
[[nodiscard]] NDKEEP_INLINE std::optional<logged_commit> read_record(const log_segment& from, std::uint64_t at,
                                                                     std::uint64_t size) {
    const auto header = record_header::read(from, at, size);
    if (!header)
        return std::nullopt;
    // A mapping, because the images of a commit may exceed the memory.
    const std::uint64_t table_at = at + record_header_size, payload_at = table_at + header->table_size;
    const auto table = mapping::open(from.source, table_at, header->table_size, map_mode::read_only);
    const auto payload = mapping::open(from.source, payload_at, header->payload_size, map_mode::read_only);
    if (salted(from.salt, {table.data(), table.size()}) != header->table_sum ||
        salted(from.salt, {payload.data(), payload.size()}) != header->payload_sum)
        return std::nullopt;
    logged_commit read{parse_table({table.data(), table.size()}, from.source.path()),
                       kept_payload(from.source, payload_at, header->payload_size),
                       padded(payload_at + header->payload_size)};
    if (read.record.number != header->number || read.record.payload_size() != header->payload_size)
        throw malformed(from.source.path(), "commit " + std::to_string(header->number),
                        counted(header->payload_size, "byte") + " of images",
                        counted(read.record.payload_size(), "byte"));
    return read;
}

/// The last commit whose header stands behind a damaged record; 0 if none does.
[[nodiscard]] NDKEEP_INLINE std::uint64_t last_behind(const log_segment& from, std::uint64_t at, std::uint64_t size,
                                                      std::uint64_t after) {
    std::uint64_t last = 0;
    std::vector<std::byte> block(128 * log_sector);
    std::uint64_t block_at = at, block_end = at;
    while (at < size) {
        if (at >= block_end) {
            block_at = at;
            block_end = at + from.source.read_some(at, block);
            if (block_end < at + record_header_size)
                break;
        }
        const bool may_begin = number_at(block.data() + (at - block_at), 8) == record_magic;
        const auto header = may_begin ? record_header::read(from, at, size) : std::nullopt;
        // The record after `after` itself is the damaged one: a commit that was killed or lost its power may leave it.
        if (header && header->number > after)
            last = std::max(last, header->number);
        // A record is skipped as a whole: its images may hold a log of the same segment.
        at = header ? header->end_from(at) : at + log_sector;
    }
    return last;
}

NDKEEP_INLINE log_chain read_log(const directory& hidden, std::uint64_t base, file::access wanted, std::uint64_t hint) {
    log_chain chain;
    std::uint64_t next = base + 1;
    const auto names = segments_in(hidden);
    for (std::size_t i = 0; i < names.size(); ++i) {
        // A segment that ends before `next` belongs to commits that all files have.
        if (i + 1 < names.size() && first_commit_of(names[i + 1]) <= next)
            continue;
        const auto segment = open_segment(hidden, names[i], wanted);
        const std::uint64_t first = first_commit_of(names[i]);
        if (!segment || first > next) {
            // Nothing can follow a gap. The file of an unfinished creation has no commits.
            if (segment)
                chain.lost_up_to = std::max(chain.lost_up_to, first);
            continue;
        }
        const std::uint64_t size = segment->source.size();
        std::uint64_t at = log_sector, number = first;
        if (const auto header = hint < log_sector ? std::nullopt : record_header::read(*segment, hint, size);
            header && header->number == next) {
            at = hint;
            number = next;
        }
        // Of a commit that the caller has, the header is enough.
        for (; number < next; ++number) {
            const auto header = record_header::read(*segment, at, size);
            if (!header || header->number != number)
                break;
            at = header->end_from(at);
        }
        std::uint64_t behind = 0;
        for (;;) {
            auto read = number == next ? read_record(*segment, at, size) : std::nullopt;
            if (read && read->record.number == number) {
                at = read->end;
                ++number;
                ++next;
                behind = 0;
                chain.commits.push_back(std::move(*read));
                continue;
            }
            // A writer may have been completing this record. If so, it is complete now that the one behind it is there.
            if (behind != 0)
                break;
            behind = last_behind(*segment, at, size, number);
            if (behind == 0)
                break;
        }
        chain.last = segment;
        chain.end = at;
        chain.lost_up_to = std::max(chain.lost_up_to, behind);
    }
    if (chain.lost_up_to < next)
        chain.lost_up_to = 0;
    return chain;
}

NDKEEP_INLINE std::shared_ptr<log_segment> create_segment(directory& hidden, std::uint64_t first, durability wanted) {
    const std::string name = segment_name(first);
    // What has the name is a segment without a sound header: no commit is in it.
    hidden.remove(name);
    auto made = std::make_shared<log_segment>(log_segment{hidden.create_file(name), first, random_bits()});
    // Zeros are written, not only reserved: a later sync of small records then changes no block map of the file system.
    constexpr std::uint64_t prepared = std::uint64_t{512} << 10;
    try {
        std::vector<std::byte> zeros(prepared);
        put_number(zeros.data(), segment_magic, 8);
        put_number(zeros.data() + 8, made->salt, 8);
        put_number(zeros.data() + 16, first, 8);
        put_number(zeros.data() + 24, crc32c(std::span(zeros).first(24)), 4);
        made->source.write(0, zeros);
        if (wanted == durability::on_disk) {
            made->source.sync();
            hidden.sync();
        }
    } catch (const error&) {
        hidden.remove(name);
        throw;
    }
    return made;
}

NDKEEP_INLINE log_write::log_write(log_segment& into, std::uint64_t at, const commit_record& record)
    : into_(into), at_(at), number_(record.number), table_(table_bytes(record)), payload_size_(record.payload_size()),
      end_(padded(at + record_header_size + table_.size() + payload_size_)) {
    if (end_ > into_.source.size())
        (void)into_.source.reserve(at_, end_ - at_);
}

NDKEEP_INLINE void log_write::write(std::span<const std::span<const std::byte>> images) {
    record_header header{number_, table_.size(), payload_size_, salted(into_.salt, table_), salted(into_.salt)};
    // Everything goes through this buffer, so that a store of another thread cannot come between sum and write.
    constexpr std::size_t most = std::size_t{1} << 20;
    std::vector<std::byte> block;
    block.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(end_ - at_, most)));
    // The header is written last. If all of the record fits into one block, with the rest of it.
    block.resize(record_header_size);
    std::uint64_t written = at_;
    const auto flush = [&] {
        const bool is_first = written == at_;
        const auto bytes = std::span<const std::byte>(block).subspan(is_first ? record_header_size : 0);
        into_.source.write(written + (is_first ? record_header_size : 0), bytes);
        written += block.size();
        block.clear();
    };
    const auto add = [&](std::span<const std::byte> bytes, std::uint32_t* sum) {
        while (!bytes.empty()) {
            if (block.size() == most)
                flush();
            const auto some = bytes.first(std::min(bytes.size(), most - block.size()));
            block.insert(block.end(), some.begin(), some.end());
            if (sum != nullptr)
                *sum = crc32c(std::span<const std::byte>(block).last(some.size()), *sum);
            bytes = bytes.subspan(some.size());
        }
    };
    add(table_, nullptr);
    for (const auto image : images)
        add(image, &header.payload_sum);
    block.resize(block.size() + static_cast<std::size_t>(end_ - written - block.size()));
    const auto begin = header.bytes(into_.salt);
    if (written == at_) {
        std::copy(begin.begin(), begin.end(), block.begin());
        into_.source.write(at_, block);
        return;
    }
    flush();
    into_.source.write(at_, begin);
}

NDKEEP_INLINE void log_write::withdraw() { into_.source.write(at_, std::array<std::byte, record_header_size>{}); }

NDKEEP_INLINE format_error damaged_log(const directory& hidden, std::uint64_t wanted, std::uint64_t last) {
    return malformed(hidden.path(), "log", "commits up to " + std::to_string(wanted),
                     last + 1 == wanted
                         ? "commit " + std::to_string(wanted) + " damaged"
                         : "commits " + std::to_string(last + 1) + " to " + std::to_string(wanted) + " damaged or lost",
                     "recover_database goes back to commit " + std::to_string(last));
}

NDKEEP_INLINE void clear_from(log_segment& of, std::uint64_t first) {
    const std::vector<std::byte> zeros(std::size_t{1} << 20);
    for (const std::uint64_t size = of.source.size(); first < size;) {
        const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), size - first));
        of.source.write(first, std::span(zeros).first(some));
        first += some;
    }
}

NDKEEP_INLINE void write_again(log_segment& of, std::uint64_t first, std::uint64_t last) {
    constexpr std::uint64_t most = std::uint64_t{1} << 20;
    std::vector<std::byte> block;
    for (; first < last; first += block.size()) {
        block.resize(static_cast<std::size_t>(std::min(most, last - first)));
        of.source.read(first, block);
        of.source.write(first, block);
    }
}

NDKEEP_INLINE kept_bytes log_write::payload() const {
    return kept_payload(into_.source, at_ + record_header_size + table_.size(), payload_size_);
}

}  // namespace ndkeep::detail
