// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/core/member.hpp>.
#pragma once

#include <ndkeep/npz/core/member.hpp>

#include <ndkeep/array/in_place.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/work/parallel.hpp>

#include <array>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::pair<mapping, array_info> map_member(const archive& from, const zip_entry& entry,
                                                        const limits& limit, const dtype& wanted, std::size_t alignment,
                                                        map_mode mode, order wanted_order) {
    return while_unchanged(from, [&]() -> std::pair<mapping, array_info> {
        // 0: only the header is read, so nothing is expanded into memory.
        member_bytes member(from, entry, 0);
        array_info info = read_member_header(member.source(), member.size(), limit).info;
        check_in_place(info, from.path(), wanted, wanted_order);
        if (!member.is_stored())
            throw mismatch_error({.file = from.path(),
                                  .field = "storage",
                                  .expected = "stored",
                                  .found = zip_method_name(entry.method),
                                  .hint = "load it; members saved without .compress can be mapped"});
        const std::uint64_t offset = member.begin() + info.data_offset;
        // Archives of NumPy and other tools do not align the data.
        if (info.nbytes() != 0 && from.address(offset) % alignment != 0)
            throw mismatch_error({.file = from.path(),
                                  .field = "data offset",
                                  .expected = "a multiple of " + counted(alignment, "byte"),
                                  .found = counted(offset, "byte"),
                                  .hint = "load it; archives that ndkeep writes are aligned"});
        auto bytes = from.map(offset, info.nbytes(), mode);
        return {std::move(bytes), std::move(info)};
    });
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE member_bytes::member_bytes(const archive& from, const zip_entry& entry, std::uint64_t whole_up_to,
                                         const run_options& run)
    : archive_(from.bytes()), path_(from.path()), entry_(entry), left_(entry.compressed) {
    // Checked before anything is allocated: the directory may state any size.
    detail::check_zip_method(entry_, path_);
    begin_ = detail::zip_data_offset(archive_, entry_);
    if (is_stored())
        return;
    // Expanding into memory is worth the space only with libdeflate or in parallel. Else zlib expands a stream.
    const bool in_pieces = are_pieces_likely();
    if ((detail::has_libdeflate() || in_pieces) && entry_.size <= whole_up_to)
        expand_whole(in_pieces, run);
    else
        stream_.emplace(path_);
}

NDKEEP_INLINE byte_source member_bytes::source() {
    if (is_stream())
        return {[this](std::uint64_t, std::span<std::byte> out) { read_on(out); }, path_};
    if (!is_stored())
        return {{whole_.data(), whole_.size()}, path_};
    return {[this](std::uint64_t offset, std::span<std::byte> out) { archive_.read(begin_ + offset, out); }, path_};
}

NDKEEP_INLINE void member_bytes::finish(std::uint32_t crc) {
    if (stream_) {
        // All bytes may have been expanded before the end-of-stream mark was read. It may be in the next compressed
        // block. Asking for one more byte reads on until the end, or proves that the stream is too long.
        std::byte beyond{};
        for (bool moved = true; moved && !stream_->is_finished();) {
            fetch();
            const std::size_t before = rest_.size();
            moved = stream_->expand(rest_, {&beyond, 1}) == 0 && rest_.size() != before;
        }
        stream_->expect_end(rest_, entry_.size, left_);
    }
    if (crc != entry_.crc32)
        throw checksum_error({.file = path_,
                              .field = member_field(without_npy(entry_.name)) + ": crc32",
                              .expected = hex_text(entry_.crc32),
                              .found = hex_text(crc),
                              .hint = "the data is not what was written"});
}

NDKEEP_INLINE bool member_bytes::are_pieces_likely() const {
    std::uint64_t compressed = 0, size = 0;
    for (const zip_piece& piece : entry_.pieces) {
        compressed += piece.compressed;
        size += piece.size;
    }
    // The list comes from the file. Its sums bound every piece, so that no piece is read or expanded out of range.
    return entry_.pieces.size() > 1 && compressed == entry_.compressed && size == entry_.size;
}

NDKEEP_INLINE void member_bytes::expand_whole(bool in_pieces, const run_options& run) {
    // check_zip_method has checked that this many bytes can come from the compressed ones.
    const auto room_for = [&](std::uint64_t size) {
        return allocated_for(path_, size, [&] { return buffer(static_cast<std::size_t>(size)); });
    };
    whole_ = room_for(entry_.size);
    prefer_huge_pages(whole_.bytes());
    if (in_pieces && expand_pieces(run))
        return;
    const buffer compressed = room_for(entry_.compressed);
    archive_.read(begin_, compressed.bytes());
    expand(compressed.bytes(), whole_.bytes(), path_);
}

NDKEEP_INLINE bool member_bytes::expand_pieces(const run_options& run) {
    struct place {
        std::uint64_t compressed, size;
    };
    std::vector<place> begins;
    for (place at{0, 0}; const zip_piece& piece : entry_.pieces) {
        begins.push_back(at);
        at = {at.compressed + piece.compressed, at.size + piece.size};
    }
    // Silent, because the caller reports the progress of the array.
    const run_options quiet = run.without_progress();
    try {
        progress_meter meter(quiet, {.phase = "load", .file = path_});
        parallel_for(begins.size(), meter, [&](std::size_t i) {
            const auto [compressed, size] = entry_.pieces[i];
            const bool is_last = i + 1 == begins.size();
            // A piece ends at a byte but does not end a stream. An empty last block makes it one.
            const buffer piece(compressed + (is_last ? 0 : deflate_end.size()));
            archive_.read(begin_ + begins[i].compressed, piece.bytes().first(compressed));
            if (!is_last)
                std::copy(deflate_end.begin(), deflate_end.end(), piece.data() + compressed);
            expand(piece.bytes(), whole_.bytes().subspan(static_cast<std::size_t>(begins[i].size), size), path_);
        });
    } catch (const format_error&) {
        // The list is only a hint, and may be wrong while the stream is correct. The stream reports any real damage.
        return false;
    }
    return true;
}

NDKEEP_INLINE void member_bytes::fetch() {
    if (!rest_.empty() || left_ == 0)
        return;
    constexpr std::uint64_t piece = std::uint64_t{256} << 10;
    compressed_.resize(static_cast<std::size_t>(std::min(piece, entry_.compressed)));
    const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(left_, compressed_.size()));
    archive_.read(begin_ + (entry_.compressed - left_), {compressed_.data(), some});
    left_ -= some;
    rest_ = {compressed_.data(), some};
}

NDKEEP_INLINE void member_bytes::read_on(std::span<std::byte> out) {
    while (!out.empty()) {
        fetch();
        const std::size_t before = rest_.size();
        const std::size_t written = stream_->expand(rest_, out);
        out = out.subspan(written);
        // The stream has ended, or makes no progress, before all bytes were expanded. `expect_end` throws then.
        if (!out.empty() && (stream_->is_finished() || (written == 0 && rest_.size() == before && left_ == 0)))
            stream_->expect_end(rest_, entry_.size);
    }
}

NDKEEP_INLINE bool begins_as_array(const byte_source& source, std::uint64_t size) {
    std::array<std::byte, magic.size()> begin = {};
    if (size < begin.size())
        return false;
    source.read(0, begin);
    return as_text(begin) == magic;
}

NDKEEP_INLINE std::vector<std::byte> read_member_header_bytes(const byte_source& source, std::uint64_t size,
                                                              const limits& limit) {
    // Two reads in order, because a stream cannot go back: the preamble, which states the length, then the rest.
    std::vector<std::byte> header(static_cast<std::size_t>(std::min<std::uint64_t>(size, longest_preamble)));
    source.read(0, header);
    const auto begin = parse_preamble({header.data(), header.size()}, source.path(), size, limit);
    const std::size_t first = header.size();
    const auto whole = static_cast<std::size_t>(begin.data_offset());
    if (whole > first) {
        header.resize(whole);
        source.read(first, std::span(header).subspan(first));
    }
    return header;
}

NDKEEP_INLINE member_header parse_member_header(std::span<const std::byte> header, std::uint64_t size,
                                                const std::filesystem::path& file, const limits& limit) {
    member_header out{parse_header(header, file, limit), crc32(header)};
    const std::uint64_t there = size - out.info.data_offset;
    // Checked before the caller allocates the array.
    if (out.info.nbytes() > there)
        throw format_error({.file = file,
                            .field = "data",
                            .expected = counted(out.info.nbytes(), "byte"),
                            .found = counted(there, "byte"),
                            .hint = "the member is cut short"});
    return out;
}

NDKEEP_INLINE member_header read_member_header(const byte_source& source, std::uint64_t size, const limits& limit) {
    return parse_member_header(read_member_header_bytes(source, size, limit), size, source.path(), limit);
}

NDKEEP_INLINE void check_first_array(const load_options& options, const std::filesystem::path& file) {
    if (options.array != 0)
        throw mismatch_error({.file = file,
                              .field = "array",
                              .expected = "0",
                              .found = std::to_string(options.array),
                              .hint = "an archive has members with names instead of numbered arrays"});
}

NDKEEP_INLINE std::vector<std::byte> read_member_bytes(const archive& from, const zip_entry& entry) {
    return in_member(without_npy(entry.name), [&] {
        return while_unchanged(from, [&] {
            member_bytes bytes(from, entry, member_bytes::largest_whole);
            auto out = allocated_for(from.path(), entry.size,
                                     [&] { return std::vector<std::byte>(static_cast<std::size_t>(entry.size)); });
            bytes.source().read(0, out);
            bytes.finish(crc32({out.data(), out.size()}));
            return out;
        });
    });
}

}  // namespace ndkeep::core
