// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/detail/member_writer.hpp>.
#pragma once

#include <ndkeep/npz/detail/member_writer.hpp>

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE void growing_file::add(std::span<const std::byte> bytes) {
    // Small members are then written with few system calls.
    constexpr std::size_t enough = std::size_t{256} << 10;
    if (gathered_.size() + bytes.size() > enough)
        flush();
    if (bytes.size() > enough) {
        out_.write(written_, bytes);
        written_ += bytes.size();
    } else {
        gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
    }
}

NDKEEP_INLINE void growing_file::put(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (offset >= written_) {
        std::copy(bytes.begin(), bytes.end(), gathered_.begin() + static_cast<std::ptrdiff_t>(offset - written_));
    } else {
        // Part of these bytes is in the file and part in memory. After `flush` all are in the file.
        if (offset + bytes.size() > written_)
            flush();
        out_.write(offset, bytes);
    }
}

NDKEEP_INLINE void growing_file::copy(const file& from, std::uint64_t offset, std::uint64_t length) {
    flush();
    out_.copy(from, offset, written_, length);
    written_ += length;
}

NDKEEP_INLINE void growing_file::finish() {
    flush();
    out_.resize(written_);
}

NDKEEP_INLINE void growing_file::flush() {
    out_.write(written_, gathered_);
    written_ += gathered_.size();
    gathered_.clear();
}

NDKEEP_INLINE void member_writer::store(new_member& member, std::string_view header, const array_view& elements,
                                        const watcher& seen, progress_meter& meter) {
    // Members that still wait come first, so that members lie in the order in which they were added.
    write_pieces(meter);
    begin(member, header.size() + elements.nbytes(), true);
    // A reservation is a system call, which small members do not need.
    constexpr std::uint64_t worth_it = std::uint64_t{1} << 20;
    if (elements.nbytes() >= worth_it)
        out_.expect(header.size() + elements.nbytes());
    add(member, detail::bytes_of(header));
    constexpr std::size_t block = std::size_t{1} << 20;
    for_each_block(elements, block, [&](std::span<const std::byte> bytes, std::size_t count) {
        seen(bytes);
        add(member, bytes);
        meter.add(count, bytes.size());
        meter.report();
    });
    end(member);
}

NDKEEP_INLINE void member_writer::compress(new_member& member, int level, std::string_view header,
                                           const array_view& elements, const watcher& seen, progress_meter& meter) {
    // The size of the array alone decides where pieces end, so the bytes of the archive do not depend on the number of
    // threads. Larger arrays get larger pieces: the list of pieces must fit into the extra fields of the directory.
    constexpr std::size_t least_block = std::size_t{1} << 20;
    const std::size_t block = least_block * (1 + elements.nbytes() / (most_zip_pieces / 2 * least_block));
    // The local header is reserved before the compressed size is known. The 16 MiB below 4 GiB are room for what
    // deflate adds to data that it cannot compress.
    constexpr std::uint64_t always_fits = 0xff00'0000;
    member.is_64 = header.size() + elements.nbytes() > always_fits;
    // Pieces refer to contiguous data of the caller. Elements that are computed, and small arrays, are copied.
    const bool lies_there = elements.contiguous() != nullptr && elements.nbytes() > block;
    std::string_view head = header;
    for_each_block(elements, block, [&](std::span<const std::byte> bytes, std::size_t count) {
        seen(bytes);
        piece next{.member = &member, .level = level, .raw = bytes};
        if (!head.empty() || !lies_there) {
            next.kept.reserve(head.size() + bytes.size());
            const auto text = detail::bytes_of(head);
            next.kept.assign(text.begin(), text.end());
            next.kept.insert(next.kept.end(), bytes.begin(), bytes.end());
            next.raw = {next.kept.data(), next.kept.size()};
            head = {};
        }
        waiting_bytes_ += next.raw.size();
        pieces_.push_back(std::move(next));
        meter.add(count, bytes.size());
        // The newest piece always waits. It may be the last of its member, which must end the stream.
        if (pieces_.size() > batch() && pieces_.size() > 1)
            write_pieces(meter, pieces_.size() - 1);
    });
    pieces_.back().is_last = true;
    // The caller's data may be gone after this call. Copied pieces wait, so that small members are compressed
    // together, in parallel.
    if (lies_there || waiting_bytes_ > batch() * block)
        write_pieces(meter);
}

NDKEEP_INLINE void member_writer::keep(new_member& member, const file& from, std::uint64_t data_offset) {
    member.is_64 = zip_needs_64(member.entry.size) || zip_needs_64(member.entry.compressed);
    // Stored data is aligned again, because its offset in this archive may differ.
    reserve(member, member.entry.method == zip_stored);
    out_.copy(from, data_offset, member.entry.compressed);
    end(member);
}

NDKEEP_INLINE std::size_t member_writer::batch() const {
    const unsigned threads = run_.threads != 0 ? run_.threads : std::max(1U, std::thread::hardware_concurrency());
    // Several pieces a thread, so that threads are busy although pieces take different times.
    return std::size_t{4} * threads;
}

NDKEEP_INLINE void member_writer::begin(new_member& member, std::uint64_t size, bool aligned) {
    member.is_64 = zip_needs_64(size);
    reserve(member, aligned);
}

NDKEEP_INLINE void member_writer::reserve(new_member& member, bool aligned) {
    auto& entry = member.entry;
    entry.header_offset = out_.end();
    member.extra_size = zip_extra_size(entry.header_offset, entry.raw_name.size(), member.is_64, aligned);
    out_.skip(zip_local_size + entry.raw_name.size() + member.extra_size);
}

NDKEEP_INLINE void member_writer::add(new_member& member, std::span<const std::byte> bytes) {
    member.entry.crc32 = crc32(bytes, member.entry.crc32);
    member.entry.size += bytes.size();
    member.entry.compressed += bytes.size();
    out_.add(bytes);
}

NDKEEP_INLINE void member_writer::end(const new_member& member) {
    const auto text = zip_local_text(member.entry, member.is_64, member.extra_size);
    out_.put(member.entry.header_offset, detail::bytes_of(text));
}

NDKEEP_INLINE void member_writer::write_pieces(progress_meter& meter, std::size_t count) {
    if (count == 0)
        return;
    // The elements were counted when they were added; pieces must not be counted again.
    progress_meter silent(quiet_, {.phase = "save", .file = out_.path()});
    parallel_for(count, silent, [&](std::size_t i) {
        piece& each = pieces_[i];
        each.crc = crc32(each.raw);
        each.compressed =
            ndkeep::compress(each.raw, each.level, each.is_last ? deflate_piece::last : deflate_piece::inner);
    });
    for (std::size_t i = 0; i < count; ++i) {
        piece& each = pieces_[i];
        auto& entry = each.member->entry;
        // The first piece of a member: only now is its place in the file known.
        if (entry.size == 0 && entry.compressed == 0)
            reserve(*each.member, false);
        entry.crc32 = crc32_combine(entry.crc32, each.crc, each.raw.size());
        entry.size += each.raw.size();
        entry.compressed += each.compressed.size();
        entry.pieces.push_back(
            {static_cast<std::uint32_t>(each.compressed.size()), static_cast<std::uint32_t>(each.raw.size())});
        out_.add(each.compressed);
        waiting_bytes_ -= each.raw.size();
        if (each.is_last)
            end(*each.member);
    }
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(count));
    meter.report();
}

}  // namespace detail

}  // namespace ndkeep
