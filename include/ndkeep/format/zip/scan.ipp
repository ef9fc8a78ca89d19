// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/zip/scan.hpp>.
//
// 1. Search the signature of a local header, from the end of the last complete member on.
// 2. Read the header. Its numbers are compared with the size of the file before they are used.
// 3. Find the end of the data: by the sizes, by the end of the deflate stream, or by the descriptor of stored data.
// 4. Compare the CRC-32. If it differs, search on directly after the signature: the sizes may be damaged as well.
//
// Bytes that step 3 reads in vain are counted. Without a limit, many headers that each claim all the rest of the file
// would take a time that grows with the square of its size. A member that could exceed the limit is skipped, and the
// search goes on. Members with descriptors have a limit of their own: a damaged one can cost all the rest of the file,
// while one that states its sizes costs no more than these.
#pragma once

#include <ndkeep/format/zip/scan.hpp>

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/bytes/deflate.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/format/zip/entry.hpp>
#include <ndkeep/format/zip/records.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// What the data of a member turns out to be.
struct zip_content {
    std::uint64_t compressed = 0;
    std::uint64_t size = 0;
    std::uint32_t crc = 0;
};

class zip_scan {
  public:
    zip_scan(const byte_source& archive, std::uint64_t size, progress_meter& meter)
        : archive_(archive), size_(size), meter_(meter), left_for_sizes_(most_passes * size),
          left_for_descriptors_(most_passes * size) {}

    [[nodiscard]] found_zip_members run(const limits& limit) {
        found_zip_members found;
        auto& entries = found.directory.entries;
        found.directory.offset = size_;
        std::uint64_t at = 0;
        while (const auto signature = find(zip_local_signature, at, size_)) {
            at = *signature;
            consumed_ = 0;
            auto entry = header(at);
            const std::uint64_t in_header = std::exchange(consumed_, 0);
            std::uint64_t& left = entry && has_descriptor(*entry) ? left_for_descriptors_ : left_for_sizes_;
            if (!entry || !is_complete(*entry, left)) {
                left_for_sizes_ -= std::min(left_for_sizes_, in_header);
                left -= std::min(left, consumed_);
                at += signature_size;
                continue;
            }
            if (entries.size() == limit.members)
                throw malformed(archive_.path(), "members", "at most " + counted(limit.members, "member"), "more",
                                "limits{.members = …} reads more");
            at = entry->room_end;
            entries.push_back(std::move(*entry));
        }
        reached(size_);
        found.may_lack_members = has_skipped_;
        return found;
    }

  private:
    static constexpr std::size_t signature_size = 4;
    static constexpr std::size_t block_size = std::size_t{64} << 10;
    static constexpr std::uint64_t most_passes = 4;  // times `size_`, which is a file's and below 2^61

    /// Up to `count` bytes at `at`, from the block in memory. Valid until the next call.
    [[nodiscard]] std::span<const std::byte> window(std::uint64_t at, std::size_t count) {
        const std::uint64_t there = std::min<std::uint64_t>(count, size_ - std::min(at, size_));
        if (at < block_begin_ || at - block_begin_ > block_.size() || block_.size() - (at - block_begin_) < there) {
            block_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(block_size, size_ - std::min(at, size_))));
            archive_.read(at, block_);
            block_begin_ = at;
            meter_.report();  // only to ask whether to stop
        }
        return std::span<const std::byte>(block_).subspan(static_cast<std::size_t>(at - block_begin_),
                                                          static_cast<std::size_t>(there));
    }

    /// Reports how much of the archive is searched. Bytes that are read again do not count.
    void reached(std::uint64_t at) {
        if (at > reached_)
            meter_.add(0, at - reached_);
        reached_ = std::max(reached_, at);
        meter_.report();
    }

    /// Step 1: the first offset of a signature that lies between two offsets.
    [[nodiscard]] std::optional<std::uint64_t> find(std::uint32_t signature, std::uint64_t begin, std::uint64_t end) {
        while (end - std::min(begin, end) >= signature_size) {
            if (signature == zip_local_signature)
                reached(begin);
            auto some = window(begin, signature_size);
            // What the block holds beyond these bytes is searched as well.
            const auto in_block = static_cast<std::size_t>(begin - block_begin_);
            some = std::span<const std::byte>(block_).subspan(in_block);
            some = some.first(static_cast<std::size_t>(std::min<std::uint64_t>(some.size(), end - begin)));
            for (std::size_t i = 0; i + signature_size <= some.size(); ++i)
                if (some[i] == std::byte{'P'} && zip_fields(some.subspan(i, signature_size)).word(0) == signature)
                    return begin + i;
            begin += some.size() - (signature_size - 1);
        }
        return std::nullopt;
    }

    [[nodiscard]] bool has_signature(std::uint64_t at) {
        const auto some = window(at, signature_size);
        if (some.size() < signature_size)
            return false;
        const auto word = zip_fields(some).word(0);
        return word == zip_local_signature || word == zip_entry_signature || word == zip_end_signature ||
               word == zip_end64_signature;
    }

    [[nodiscard]] static bool has_descriptor(const zip_entry& entry) {
        return (entry.flags & zip_flag_descriptor) != 0;
    }

    /// Steps 3 and 4: whether a member is complete. Sets the sizes and the CRC-32 of one with a descriptor, and
    /// `room_end`.
    /// @param entry  from `header`
    /// @param left   bytes that may be read in vain
    [[nodiscard]] bool is_complete(zip_entry& entry, std::uint64_t left) {
        if ((entry.flags & (zip_flag_encrypted | zip_flag_patch | zip_flag_strong_encryption | zip_flag_masked)) != 0)
            return false;
        const std::uint64_t data = entry.room_end, rest = size_ - data;
        if (!has_descriptor(entry) && entry.compressed > rest)
            return false;
        const std::uint64_t wanted = has_descriptor(entry) ? rest : entry.compressed;
        // The search passes over the bytes before the next header anyway, so reading them is no waste.
        if (wanted > left) {
            const auto next = find(zip_local_signature, entry.header_offset + signature_size, size_).value_or(size_);
            left = std::max(left, next - std::min(next, data));
        }
        if (!has_descriptor(entry) && wanted > left) {
            has_skipped_ = true;
            return false;
        }
        const std::uint64_t most = std::min(wanted, left);
        std::optional<zip_content> content;
        std::uint64_t descriptor = 0;
        if (entry.method == zip_deflated)
            content = expanded(data, most);
        else if (entry.method == zip_stored && has_descriptor(entry))
            content = before_descriptor(data, most);
        else if (entry.method == zip_stored && entry.size == entry.compressed)
            content = zip_content{entry.size, entry.size, crc_of(data, entry.size)};
        // The end may lie beyond the bytes that could be read.
        has_skipped_ = has_skipped_ || (!content && most < wanted && consumed_ >= most);
        if (!content)
            return false;
        if (has_descriptor(entry)) {
            descriptor = descriptor_length(data + content->compressed, *content);
            if (descriptor == 0)
                return false;
            entry.compressed = content->compressed;
            entry.size = content->size;
            entry.crc32 = content->crc;
        }
        if (content->compressed != entry.compressed || content->size != entry.size || content->crc != entry.crc32)
            return false;
        entry.room_end = data + content->compressed + descriptor;
        // A writer that was killed may leave a header that states no bytes yet, with data behind it.
        return entry.compressed != 0 || has_signature(entry.room_end);
    }

    /// Step 2: the local header, with `room_end` at the first byte of the data.
    /// @see APPNOTE 4.3.7
    [[nodiscard]] std::optional<zip_entry> header(std::uint64_t at) {
        std::array<std::byte, zip_local_size> bytes = {};
        const auto fixed = window(at, bytes.size());
        if (fixed.size() < bytes.size())
            return std::nullopt;
        std::copy(fixed.begin(), fixed.end(), bytes.begin());
        const zip_fields local(bytes);
        zip_entry entry;
        entry.version_needed = local.half(4);
        entry.flags = local.half(6);
        entry.method = local.half(8);
        entry.time = local.half(10);
        entry.date = local.half(12);
        entry.crc32 = local.word(14);
        entry.compressed = local.word(18);
        entry.size = local.word(22);
        const std::size_t name_size = local.half(26), extra_size = local.half(28);
        if (size_ - at - bytes.size() < name_size + extra_size)
            return std::nullopt;
        if (name_size + extra_size > left_for_sizes_) {
            has_skipped_ = true;
            return std::nullopt;
        }
        std::vector<std::byte> text(name_size + extra_size);
        archive_.read(at + bytes.size(), text);
        consumed_ += text.size();
        entry.raw_name.assign(reinterpret_cast<const char*>(text.data()), name_size);
        if (!name_zip_entry(entry))
            return std::nullopt;
        auto extra = std::span<const std::byte>(text).subspan(name_size);
        while (extra.size() >= 4) {
            const zip_fields head(extra);
            const std::size_t length = head.half(2);
            if (length > extra.size() - 4)
                return std::nullopt;
            if (head.half(0) == zip_extra64 && !read_zip_extra64(extra.subspan(4, length), entry))
                return std::nullopt;
            extra = extra.subspan(4 + length);
        }
        entry.header_offset = at;
        entry.room_end = at + bytes.size() + text.size();
        return entry;
    }

    /// The CRC-32 of a range of the archive.
    [[nodiscard]] std::uint32_t crc_of(std::uint64_t at, std::uint64_t length) {
        std::uint32_t crc = 0;
        for_each_block(at, length, [&](std::span<const std::byte> some) {
            crc = crc32(some, crc);
            return true;
        });
        return crc;
    }

    /// Calls `use` with the bytes of a range, block by block, until it returns false. The first blocks are small, so
    /// that a short stream in a long range costs little.
    template <class Use>
    void for_each_block(std::uint64_t at, std::uint64_t length, Use&& use) {
        constexpr std::uint64_t least = std::uint64_t{1} << 12, most = std::uint64_t{1} << 20;
        std::uint64_t wanted = least;
        for (std::uint64_t done = 0; done < length; wanted = std::min(most, 2 * wanted)) {
            bytes_.resize(static_cast<std::size_t>(std::min(wanted, length - done)));
            archive_.read(at + done, bytes_);
            done += bytes_.size();
            consumed_ += bytes_.size();
            reached(at + done);
            if (!use(std::span<const std::byte>(bytes_)))
                return;
        }
    }

    /// Step 3: expands the deflate stream at `at`; nullopt if it is damaged, or longer than `most` bytes.
    [[nodiscard]] std::optional<zip_content> expanded(std::uint64_t at, std::uint64_t most) {
        zip_content out;
        inflater stream(archive_.path());
        bool is_damaged = false;
        for_each_block(at, most, [&](std::span<const std::byte> some) {
            try {
                std::span<const std::byte> rest = some;
                for (std::size_t written = room_.size(); !stream.is_finished() && (!rest.empty() || written != 0);) {
                    written = stream.expand(rest, room_);
                    out.crc = crc32({room_.data(), written}, out.crc);
                    out.size += written;
                }
                out.compressed += some.size() - rest.size();
            } catch (const format_error&) {
                is_damaged = true;
            }
            return !is_damaged && !stream.is_finished();
        });
        return is_damaged || !stream.is_finished() ? std::nullopt : std::optional(out);
    }

    /// Step 3: the stored data at `data` up to the descriptor that states its length; nullopt if there is none in
    /// `most` bytes, or its CRC-32 is not that of the data.
    [[nodiscard]] std::optional<zip_content> before_descriptor(std::uint64_t data, std::uint64_t most) {
        const std::uint64_t end = data + most;
        for (std::uint64_t at = data; const auto next = find(zip_descriptor_signature, at, end);) {
            at = *next + signature_size;
            // The CRC-32 is computed only for the length that the descriptor states: most signatures are of other
            // members, or data.
            zip_content out{.compressed = *next - data, .size = *next - data};
            if (!states_length(*next, out.size))
                continue;
            out.crc = crc_of(data, out.size);
            if (descriptor_length(*next, out) != 0)
                return out;
            // Data hardly ever states its own length, so the descriptor is right and other bytes are damaged.
            consumed_ += at - data;
            return std::nullopt;
        }
        consumed_ += most;
        return std::nullopt;
    }

    /// Whether the descriptor at `at` states a length, in one of the two widths.
    [[nodiscard]] bool states_length(std::uint64_t at, std::uint64_t length) {
        const auto bytes = window(at, 24);
        const zip_fields fields(bytes);
        return (bytes.size() >= 16 && fields.word(8) == length && fields.word(12) == length) ||
               (bytes.size() >= 24 && fields.quad(8) == length && fields.quad(16) == length);
    }

    /// Bytes of the data descriptor at `at`, which states this content; 0 if there is none. Its signature is optional,
    /// and its sizes have 32 or 64 bits.
    /// @see APPNOTE 4.3.9
    [[nodiscard]] std::uint64_t descriptor_length(std::uint64_t at, const zip_content& content) {
        constexpr std::size_t longest = 24;
        const auto bytes = window(at, longest);
        for (const std::size_t begin : {signature_size, std::size_t{0}})
            for (const std::size_t width : {std::size_t{8}, std::size_t{4}}) {
                const std::size_t length = begin + 4 + 2 * width;
                if (bytes.size() < length)
                    continue;
                const zip_fields fields(bytes.subspan(begin));
                const auto number = [&](std::size_t i) {
                    return width == 8 ? fields.quad(i) : std::uint64_t{fields.word(i)};
                };
                const bool is_marked = begin == 0 || zip_fields(bytes).word(0) == zip_descriptor_signature;
                if (is_marked && fields.word(0) == content.crc && number(4) == content.compressed &&
                    number(4 + width) == content.size)
                    return length;
            }
        return 0;
    }

    const byte_source& archive_;
    std::uint64_t size_;
    progress_meter& meter_;
    std::vector<std::byte> block_;
    std::uint64_t block_begin_ = 0;
    std::vector<std::byte> bytes_;                                                  // of the member that is checked
    std::vector<std::byte> room_ = std::vector<std::byte>(std::size_t{256} << 10);  // for expanded bytes
    std::uint64_t reached_ = 0;
    std::uint64_t consumed_ = 0;  // bytes of one header, then of its data
    // Bytes that may still be read in vain.
    std::uint64_t left_for_sizes_, left_for_descriptors_;
    bool has_skipped_ = false;
};

NDKEEP_INLINE found_zip_members find_zip_members(const byte_source& archive, std::uint64_t size, const limits& limit,
                                                 progress_meter& meter) {
    return zip_scan(archive, size, meter).run(limit);
}

NDKEEP_INLINE std::optional<std::uint64_t> last_zip_end(const byte_source& archive, std::uint64_t size,
                                                        const limits& limit, progress_meter& meter) {
    constexpr std::uint64_t block_size = std::uint64_t{64} << 10;
    constexpr int most_candidates = 64;  // each may cost the reading of a long directory
    int candidates = 0;
    std::vector<std::byte> block;
    // Backwards, block by block. A block also holds the first bytes of the next one, for a record that begins in it.
    for (std::uint64_t end = size; end > 0;) {
        const std::uint64_t begin = end - std::min(end, block_size);
        block.resize(static_cast<std::size_t>(std::min(size, end + zip_end_size - 1) - begin));
        archive.read(begin, block);
        for (std::size_t i = static_cast<std::size_t>(end - begin); i-- > 0;) {
            if (block[i] != std::byte{'P'} || block.size() - i < zip_end_size)
                continue;
            const zip_fields record(std::span<const std::byte>(block).subspan(i));
            const std::uint64_t after = begin + i + zip_end_size;
            if (record.word(0) != zip_end_signature || record.half(20) > size - after)
                continue;
            // The file ends with its archive, whose directory is damaged or beyond the limit: nothing to cut off.
            if (record.half(20) == size - after)
                return std::nullopt;
            if (++candidates > most_candidates)
                throw malformed(archive.path(), "end record", "one",
                                "more than " + std::to_string(most_candidates) + " candidates");
            try {
                if (read_zip_directory(archive, after + record.half(20), limit).prefix == 0)
                    return after + record.half(20);
            } catch (const format_error&) {
                // Bytes that look like an end record.
            }
        }
        meter.add(0, end - begin);
        meter.report();
        end = begin;
    }
    return std::nullopt;
}

}  // namespace ndkeep::detail
