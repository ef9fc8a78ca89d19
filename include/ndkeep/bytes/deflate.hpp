// SPDX-License-Identifier: BSD-3-Clause
// Raw deflate streams (RFC 1951): whole buffers by zlib or libdeflate, pieces by zlib.
#pragma once

#include <ndkeep/error.hpp>

#include <zlib.h>

// libdeflate is about twice as fast. Only the build can know that it is linked, a header that is there proves nothing.
#if defined(NDKEEP_USE_LIBDEFLATE) && NDKEEP_USE_LIBDEFLATE
#include <libdeflate.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep {

/// Expands one raw deflate stream that comes in pieces.
class inflater {
  public:
    /// @param file  named in errors, never opened
    explicit inflater(std::filesystem::path file = {});

    /// Takes bytes off the front of `compressed` and fills `into` from its front, until one of them is used up or the
    /// stream ends. There may be more to come after `compressed` is empty: ask again with another `into`.
    ///
    /// @returns the number of bytes written
    /// @throws format_error  the stream is corrupt
    std::size_t expand(std::span<const std::byte>& compressed, std::span<std::byte> into);

    /// Has the end of the stream been seen?
    [[nodiscard]] bool is_finished() const noexcept { return finished_; }

    /// Checks that the stream ends here, that it held `size` bytes, and that nothing is left of `compressed`.
    ///
    /// @throws format_error  it does not
    void expect_end(std::span<const std::byte> compressed, std::uint64_t size);

  private:
    struct ended {
        void operator()(z_stream* stream) const noexcept {
            ::inflateEnd(stream);
            delete stream;
        }
    };

    [[noreturn]] void refuse(std::string found, std::string expected, std::string hint = {}) const {
        throw format_error({.file = file_,
                            .field = "deflate",
                            .expected = std::move(expected),
                            .found = std::move(found),
                            .hint = std::move(hint)});
    }

    // On the heap, because zlib's state points back at it and this object may move.
    std::unique_ptr<z_stream, ended> stream_{new z_stream{}};
    std::filesystem::path file_;
    std::uint64_t written_ = 0;
    bool finished_ = false;
};

/// Compresses into one raw deflate stream, in pieces.
class deflater {
  public:
    /// @param level  0 (stored) to 9 (smallest); what is beyond is taken for the nearest
    explicit deflater(int level = 1);

    /// Takes bytes off the front of `bytes` and fills `into` from its front, until one of them is used up.
    ///
    /// @returns the number of bytes written
    std::size_t compress(std::span<const std::byte>& bytes, std::span<std::byte> into) {
        return step(bytes, into, Z_NO_FLUSH);
    }

    /// Writes what is left of the stream; to be called with a new `into` until `is_finished()`.
    ///
    /// @returns the number of bytes written
    std::size_t finish(std::span<std::byte> into) {
        std::span<const std::byte> nothing;
        return step(nothing, into, Z_FINISH);
    }

    [[nodiscard]] bool is_finished() const noexcept { return finished_; }

    /// At most so many bytes come of `size` bytes.
    [[nodiscard]] std::size_t bound(std::size_t size) const noexcept {
        return ::deflateBound(stream_.get(), static_cast<uLong>(size));
    }

  private:
    struct ended {
        void operator()(z_stream* stream) const noexcept {
            ::deflateEnd(stream);
            delete stream;
        }
    };

    std::size_t step(std::span<const std::byte>& bytes, std::span<std::byte> into, int flush);

    std::unique_ptr<z_stream, ended> stream_{new z_stream{}};
    bool finished_ = false;
};

/// `bytes` as one raw deflate stream.
///
/// @param level  0 (stored) to 9 (smallest); what is beyond is taken for the nearest. Numbers rarely shrink further
///               beyond 1, and take many times as long.
[[nodiscard]] inline std::vector<std::byte> compress(std::span<const std::byte> bytes, int level = 1);

/// Expands a whole raw deflate stream into exactly `into`.
///
/// @param file  named in errors, never opened
/// @throws format_error  the stream is corrupt or cut short, holds more or fewer bytes, or is followed by others
inline void expand(std::span<const std::byte> compressed, std::span<std::byte> into,
                   const std::filesystem::path& file = {});

namespace detail {

/// Lends zlib as much of both spans as its counters hold, calls `work`, and takes what it used off their fronts.
template <class Work>
[[nodiscard]] int with_zlib(z_stream& stream, std::span<const std::byte>& from, std::span<std::byte>& into, Work work) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    Bytef nowhere = 0;
    // zlib reads only, and takes a null pointer for an error even where there is nothing to write.
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

inline inflater::inflater(std::filesystem::path file) : file_(std::move(file)) {
    if (::inflateInit2(stream_.get(), -MAX_WBITS) != Z_OK)
        throw std::bad_alloc();
}

inline std::size_t inflater::expand(std::span<const std::byte>& compressed, std::span<std::byte> into) {
    auto room = into;
    // Also when there is no room: the end of the stream may still be to be read.
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

inline void inflater::expect_end(std::span<const std::byte> compressed, std::uint64_t size) {
    const std::uint64_t written = written_;
    std::byte beyond{};
    if (!finished_ && expand(compressed, {&beyond, 1}) != 0 && written >= size)
        refuse("more than " + counted(written, "byte"), counted(size, "byte"));
    if (!finished_)
        refuse("cut short after " + counted(written_, "byte"), counted(size, "byte"));
    if (written_ != size)
        refuse(counted(written_, "byte"), counted(size, "byte"));
    if (!compressed.empty())
        refuse("followed by " + counted(compressed.size(), "byte"), "the end");
}

inline deflater::deflater(int level) {
    constexpr int default_memory = 8;
    if (::deflateInit2(stream_.get(), std::clamp(level, 0, 9), Z_DEFLATED, -MAX_WBITS, default_memory,
                       Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();
}

inline std::size_t deflater::step(std::span<const std::byte>& bytes, std::span<std::byte> into, int flush) {
    auto room = into;
    for (int status = Z_OK; !finished_ && status == Z_OK && !room.empty() && (flush == Z_FINISH || !bytes.empty());) {
        status = detail::with_zlib(*stream_, bytes, room, [flush](z_stream* s) { return ::deflate(s, flush); });
        finished_ = status == Z_STREAM_END;
    }
    return into.size() - room.size();
}

inline std::vector<std::byte> compress(std::span<const std::byte> bytes, int level) {
#if defined(NDKEEP_USE_LIBDEFLATE) && NDKEEP_USE_LIBDEFLATE
    const std::unique_ptr<libdeflate_compressor, decltype(&::libdeflate_free_compressor)> compressor(
        ::libdeflate_alloc_compressor(std::clamp(level, 0, 9)), &::libdeflate_free_compressor);
    if (!compressor)
        throw std::bad_alloc();
    std::vector<std::byte> out(::libdeflate_deflate_compress_bound(compressor.get(), bytes.size()));
    out.resize(::libdeflate_deflate_compress(compressor.get(), bytes.data(), bytes.size(), out.data(), out.size()));
#else
    deflater stream(level);
    std::vector<std::byte> out(stream.bound(bytes.size()));
    std::size_t size = stream.compress(bytes, out);
    for (size += stream.finish(std::span(out).subspan(size)); !stream.is_finished();) {
        out.resize(2 * out.size());
        size += stream.finish(std::span(out).subspan(size));
    }
    out.resize(size);
#endif
    return out;
}

inline void expand(std::span<const std::byte> compressed, std::span<std::byte> into,
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
        // libdeflate says only that something is wrong; zlib says what.
#endif
    inflater stream(file);
    stream.expand(compressed, into);
    stream.expect_end(compressed, into.size());
}

}  // namespace ndkeep
