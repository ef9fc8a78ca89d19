// SPDX-License-Identifier: BSD-3-Clause
// Raw deflate streams (RFC 1951), compressed and expanded by zlib or libdeflate.
#pragma once

#include <ndkeep/version.hpp>

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Deleter of a zlib stream: `End` is inflateEnd or deflateEnd, to match the way it was initialised.
template <auto End>
struct zlib_end {
    void operator()(z_stream* stream) const noexcept {
        End(stream);
        delete stream;
    }
};

}  // namespace detail

/// Expands one raw deflate stream that arrives in pieces, by zlib.
class inflater {
  public:
    /// @param file  the path that errors show; it is not opened
    explicit inflater(std::filesystem::path file = {});

    /// Expands until `compressed` is empty, `into` is full or the stream ends. Removes the consumed bytes from the
    /// front of `compressed`. zlib may hold more output after `compressed` is empty: if `into` became full, call again.
    ///
    /// @returns the number of bytes written to `into`
    /// @throws format_error  the stream is corrupt
    std::size_t expand(std::span<const std::byte>& compressed, std::span<std::byte> into);

    /// Whether the end of the stream was reached.
    [[nodiscard]] bool is_finished() const noexcept { return finished_; }

    /// Checks that the stream ends here, that it expanded to `size` bytes, and that no compressed bytes remain.
    ///
    /// @param compressed  the bytes that `expand` has not consumed
    /// @param behind      the number of bytes that follow `compressed` in the file
    /// @throws format_error  one of these is not so
    void expect_end(std::span<const std::byte> compressed, std::uint64_t size, std::uint64_t behind = 0);

  private:
    [[noreturn]] void refuse(std::string found, std::string expected, std::string hint = {}) const;

    // On the heap, because the state of zlib has a pointer to it, which a move of this object must not break.
    std::unique_ptr<z_stream, detail::zlib_end<&::inflateEnd>> stream_{new z_stream{}};
    std::filesystem::path file_;
    std::uint64_t written_ = 0;
    bool finished_ = false;
};

/// The place of a piece in its stream. An `inner` piece ends at a full byte without ending the stream.
enum class deflate_piece { inner, last };

/// The default compression level, which is that of `numpy.savez_compressed`.
inline constexpr int default_deflate_level = 6;

/// Compresses `bytes` to a raw deflate stream, or to one piece of it. Pieces that were compressed independently form a
/// valid stream when concatenated, if the last one and no other is `last`.
///
/// Equal bytes give equal pieces. If a sample of the bytes looks like noise, as the low digits of measured numbers do,
/// all of them are Huffman coded without a search for repetitions. That takes a fraction of the time, and the sample
/// was at most 0.2 % larger.
/// @param level  0 (stored) to 9 (smallest); values outside are clamped
[[nodiscard]] std::vector<std::byte> compress(std::span<const std::byte> bytes, int level = default_deflate_level,
                                              deflate_piece piece = deflate_piece::last);

/// Ends a stream after an inner piece: an empty stored block, marked as the last one (RFC 1951, 3.2.4).
inline constexpr std::array<std::byte, 5> deflate_end = {std::byte{1}, std::byte{0}, std::byte{0}, std::byte{0xff},
                                                         std::byte{0xff}};

/// Expands a complete raw deflate stream, which must fill `into` exactly.
///
/// @param file  the path that errors show; it is not opened
/// @throws format_error  the stream is corrupt or truncated, expands to more or fewer bytes, or more bytes follow it
void expand(std::span<const std::byte> compressed, std::span<std::byte> into, const std::filesystem::path& file = {});

namespace detail {

/// Whether the function bodies were compiled with libdeflate.
[[nodiscard]] bool has_libdeflate() noexcept;

/// Compresses at exactly this level, by libdeflate if available and otherwise by zlib.
[[nodiscard]] std::vector<std::byte> compressed_at(std::span<const std::byte> bytes, int level, deflate_piece piece);

/// How bytes are compressed.
struct deflate_way {
    int level;
    bool repetitions;  // false: Huffman codes only
};

/// The fastest way to compress as well as the requested level, judged by a sample from the middle of the bytes. A
/// result that is 0.2 % larger counts as good enough: the difference would cost several times the time.
[[nodiscard]] deflate_way quickest_way(std::span<const std::byte> bytes, int level);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bytes/deflate.ipp>
#endif
