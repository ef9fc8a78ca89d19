// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/bytes/deflate.hpp>.
#pragma once

#include <ndkeep/bytes/deflate.hpp>

#include <ndkeep/error.hpp>

#include <zlib.h>

// libdeflate is about twice as fast as zlib. The build must ask for it: that its header is installed does not prove
// that it is linked.
#if defined(NDKEEP_USE_LIBDEFLATE) && NDKEEP_USE_LIBDEFLATE
#include <libdeflate.h>
#endif

#include <algorithm>
#include <cassert>
#include <limits>
#include <new>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Gives zlib both spans, calls `work`, and removes what it used from their fronts. The counters of zlib have 32 bits,
/// so a longer span takes several calls.
template <class Work>
[[nodiscard]] int with_zlib(z_stream& stream, std::span<const std::byte>& from, std::span<std::byte>& into, Work work) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    Bytef nowhere = 0;
    // zlib does not write to its input in spite of the type. It rejects a null output pointer even for a length of 0.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(from.data()));
    stream.next_out = into.empty() ? &nowhere : reinterpret_cast<Bytef*>(into.data());
    stream.avail_in = static_cast<uInt>(std::min(from.size(), most));
    stream.avail_out = static_cast<uInt>(std::min(into.size(), most));
    const uInt lent_in = stream.avail_in, lent_out = stream.avail_out;
    const int status = work(&stream);
    from = from.subspan(lent_in - stream.avail_in);
    into = into.subspan(lent_out - stream.avail_out);
    return status;
}

}  // namespace detail

NDKEEP_INLINE void inflater::refuse(std::string found, std::string expected, std::string hint) const {
    throw detail::malformed(file_, "deflate stream", std::move(expected), std::move(found), std::move(hint));
}

NDKEEP_INLINE inflater::inflater(std::filesystem::path file) : file_(std::move(file)) {
    // A negative window size means a raw stream, without the zlib header (zlib.h, inflateInit2).
    if (::inflateInit2(stream_.get(), -MAX_WBITS) != Z_OK)
        throw std::bad_alloc();
}

NDKEEP_INLINE std::size_t inflater::expand(std::span<const std::byte>& compressed, std::span<std::byte> into) {
    auto room = into;
    // Also if `into` is empty: the end of the stream may still have to be read. Z_BUF_ERROR means no more progress.
    for (int status = Z_OK; !finished_ && status != Z_BUF_ERROR;) {
        status = detail::with_zlib(*stream_, compressed, room, [](z_stream* s) { return ::inflate(s, Z_NO_FLUSH); });
        if (status == Z_MEM_ERROR)
            throw std::bad_alloc();
        if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END)
            refuse("corrupt", "", stream_->msg != nullptr ? stream_->msg : "");
        finished_ = status == Z_STREAM_END;
    }
    written_ += into.size() - room.size();
    return into.size() - room.size();
}

NDKEEP_INLINE void inflater::expect_end(std::span<const std::byte> compressed, std::uint64_t size,
                                        std::uint64_t behind) {
    // Room for one byte tells a stream that only has to end from one with more data. A hostile stream of any size is
    // rejected here without being expanded.
    const std::uint64_t written = written_;
    std::byte beyond{};
    if (!finished_ && expand(compressed, {&beyond, 1}) != 0 && written >= size)
        refuse("more than " + counted(size, "byte"), counted(size, "byte"));
    if (!finished_)
        refuse("cut short after " + counted(written_, "byte"), counted(size, "byte"));
    if (written_ != size)
        refuse(counted(written_, "byte"), counted(size, "byte"));
    behind += compressed.size();
    if (behind != 0)
        refuse("followed by " + counted(behind, "byte"), "the end");
}

namespace detail {

/// Compresses by zlib.
NDKEEP_INLINE std::vector<std::byte> zlib_compressed(std::span<const std::byte> bytes, int level, int strategy,
                                                     deflate_piece piece) {
    constexpr int default_memory = 8;  // the default of zlib for memLevel
    const std::unique_ptr<z_stream, zlib_end<&::deflateEnd>> stream(new z_stream{});
    if (::deflateInit2(stream.get(), level, Z_DEFLATED, -MAX_WBITS, default_memory, strategy) != Z_OK)
        throw std::bad_alloc();
    // deflateBound assumes Z_FINISH, and does not count the empty block that a flush adds.
    constexpr std::size_t flush_marker = 16;
    std::vector<std::byte> out(::deflateBound(stream.get(), static_cast<uLong>(bytes.size())) + flush_marker);
    std::size_t size = 0;
    const int flush = piece == deflate_piece::last ? Z_FINISH : Z_SYNC_FLUSH;
    for (bool done = false; !done;) {
        if (size == out.size())
            out.resize(2 * out.size());
        auto room = std::span(out).subspan(size);
        // More than 4 GiB takes several calls, because the counters of zlib have 32 bits. Flush only when the rest fits
        // into one call.
        const bool all = bytes.size() <= std::numeric_limits<uInt>::max();
        const int status =
            with_zlib(*stream, bytes, room, [&](z_stream* s) { return ::deflate(s, all ? flush : Z_NO_FLUSH); });
        size = out.size() - room.size();
        // A flush is complete only if it left room in the output (zlib.h, deflate).
        done = bytes.empty() && (flush == Z_FINISH ? status == Z_STREAM_END : !room.empty());
    }
    out.resize(size);
    return out;
}

#if defined(NDKEEP_USE_LIBDEFLATE) && NDKEEP_USE_LIBDEFLATE
NDKEEP_INLINE bool has_libdeflate() noexcept { return true; }

/// Finds where the last block of a stream begins and ends, in bits. Only a full decoder can tell, so zlib expands the
/// stream and stops after each block (Z_BLOCK).
NDKEEP_INLINE std::pair<std::size_t, std::size_t> last_block(std::span<const std::byte> stream,
                                                             std::size_t expanded_size) {
    const std::unique_ptr<z_stream, zlib_end<&::inflateEnd>> walk(new z_stream{});
    if (::inflateInit2(walk.get(), -MAX_WBITS) != Z_OK)
        throw std::bad_alloc();
    std::vector<std::byte> expanded(expanded_size);
    std::span<std::byte> room(expanded);
    const std::size_t size = stream.size();
    std::size_t begin = 0, end = 0;
    for (int status = Z_OK; end == 0 && status == Z_OK;) {
        status = with_zlib(*walk, stream, room, [](z_stream* s) { return ::inflate(s, Z_BLOCK); });
        constexpr int after_a_block = 128, the_last_one = 64, unused_bits = 7;  // zlib.h, inflate
        if ((walk->data_type & after_a_block) != 0) {
            const std::size_t at = 8 * (size - stream.size()) - static_cast<std::size_t>(walk->data_type & unused_bits);
            ((walk->data_type & the_last_one) != 0 ? end : begin) = at;
        }
    }
    assert(end != 0 && room.empty());
    return {begin, end};
}

/// Changes a complete stream so that another piece can follow, which libdeflate cannot do itself.
///
/// Clears the bit that marks the last block (BFINAL, RFC 1951, 3.2.3). Then appends an empty stored block, which ends
/// at a full byte (3.2.4):
///
///     before: ... 1 TT data of the last block | padding
///     after:  ... 0 TT data of the last block | 0 00 padding | 00 00 ff ff
NDKEEP_INLINE void make_inner(std::vector<std::byte>& stream, std::size_t expanded_size) {
    const auto [begin, end] = last_block(stream, expanded_size);
    stream[begin / 8] &= ~(std::byte{1} << (begin % 8));
    constexpr std::byte full{0xff};
    // A stored block begins with three zero bits. If the padding of the last byte has at least three, it is the begin.
    if (8 * stream.size() - end < 3)
        stream.push_back({});
    stream.insert(stream.end(), {std::byte{}, std::byte{}, full, full});
}

NDKEEP_INLINE std::vector<std::byte> compressed_at(std::span<const std::byte> bytes, int level, deflate_piece piece) {
    const std::unique_ptr<libdeflate_compressor, decltype(&::libdeflate_free_compressor)> compressor(
        ::libdeflate_alloc_compressor(level), &::libdeflate_free_compressor);
    if (!compressor)
        throw std::bad_alloc();
    std::vector<std::byte> out(::libdeflate_deflate_compress_bound(compressor.get(), bytes.size()));
    out.resize(::libdeflate_deflate_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size()));
    if (piece == deflate_piece::inner)
        make_inner(out, bytes.size());
    return out;
}
#else
NDKEEP_INLINE bool has_libdeflate() noexcept { return false; }

NDKEEP_INLINE std::vector<std::byte> compressed_at(std::span<const std::byte> bytes, int level, deflate_piece piece) {
    return zlib_compressed(bytes, level, Z_DEFAULT_STRATEGY, piece);
}
#endif

NDKEEP_INLINE deflate_way quickest_way(std::span<const std::byte> bytes, int level) {
    // 32 KiB is the window of deflate. A sample of at most one eighth of the bytes keeps the extra cost small.
    constexpr std::size_t sample_size = std::size_t{32} << 10;
    if (level == 0 || bytes.size() < 8 * sample_size)
        return {level, true};
    const auto sample = bytes.subspan((bytes.size() - sample_size) / 2, sample_size);
    const std::size_t size = compressed_at(sample, level, deflate_piece::last).size();
    const std::size_t enough = size + size / 500;
    if (zlib_compressed(sample, level, Z_HUFFMAN_ONLY, deflate_piece::last).size() <= enough)
        return {level, false};
    // Level 1 of zlib is much faster. libdeflate gains little from a lower level on such bytes.
    if (!has_libdeflate() && level > 1 && compressed_at(sample, 1, deflate_piece::last).size() <= enough)
        return {1, true};
    return {level, true};
}

}  // namespace detail

NDKEEP_INLINE std::vector<std::byte> compress(std::span<const std::byte> bytes, int level, deflate_piece piece) {
    const auto way = detail::quickest_way(bytes, std::clamp(level, 0, 9));
    if (!way.repetitions)
        return detail::zlib_compressed(bytes, way.level, Z_HUFFMAN_ONLY, piece);
    return detail::compressed_at(bytes, way.level, piece);
}

NDKEEP_INLINE void expand(std::span<const std::byte> compressed, std::span<std::byte> into,
                          const std::filesystem::path& file) {
#if defined(NDKEEP_USE_LIBDEFLATE) && NDKEEP_USE_LIBDEFLATE
    const std::unique_ptr<libdeflate_decompressor, decltype(&::libdeflate_free_decompressor)> decompressor(
        ::libdeflate_alloc_decompressor(), &::libdeflate_free_decompressor);
    if (!decompressor)
        throw std::bad_alloc();
    std::size_t read = 0;
    if (::libdeflate_deflate_decompress_ex(decompressor.get(), compressed.data(), compressed.size(), into.data(),
                                           into.size(), &read, nullptr) == LIBDEFLATE_SUCCESS &&
        read == compressed.size())
        return;
        // libdeflate reports only that something is wrong. Expand again with zlib, which gives the reason.
#endif
    inflater stream(file);
    stream.expand(compressed, into);
    stream.expect_end(compressed, into.size());
}

}  // namespace ndkeep
