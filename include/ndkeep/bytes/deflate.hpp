// SPDX-License-Identifier: BSD-3-Clause
// Raw deflate streams (RFC 1951), by zlib or libdeflate.
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

/// Ends a stream of zlib's by the function that fits how it began.
template <auto End>
struct zlib_end {
    void operator()(z_stream* stream) const noexcept {
        End(stream);
        delete stream;
    }
};

}  // namespace detail

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
    /// @param behind  bytes that would follow `compressed`
    /// @throws format_error  it does not
    void expect_end(std::span<const std::byte> compressed, std::uint64_t size, std::uint64_t behind = 0);

  private:
    [[noreturn]] void refuse(std::string found, std::string expected, std::string hint = {}) const;

    // On the heap, because zlib's state points back at it and this object may move.
    std::unique_ptr<z_stream, detail::zlib_end<&::inflateEnd>> stream_{new z_stream{}};
    std::filesystem::path file_;
    std::uint64_t written_ = 0;
    bool finished_ = false;
};

/// Where in a stream a piece stands: `inner` ones end at a byte and are followed by others.
enum class deflate_piece { inner, last };

/// What a member is compressed with unless another level is asked for; NumPy's own.
inline constexpr int default_deflate_level = 6;

/// `bytes` as one raw deflate stream, or as one piece of a stream that is made of several: pieces that were compressed
/// apart, one behind the other, are a valid stream if only the last one of them is `last`.
///
/// Equal bytes make equal pieces. Bytes that look like noise, as the low digits of measured numbers do, are coded
/// without looking for repetitions where that is no worse for a sample of them, and takes a fraction of the time.
/// @param level  0 (stored) to 9 (smallest); what is beyond is taken for the nearest
[[nodiscard]] std::vector<std::byte> compress(std::span<const std::byte> bytes, int level = default_deflate_level,
                                              deflate_piece piece = deflate_piece::last);

/// What makes a whole stream of an inner piece that it is put behind: an empty last block.
inline constexpr std::array<std::byte, 5> deflate_end = {std::byte{1}, std::byte{0}, std::byte{0}, std::byte{0xff},
                                                         std::byte{0xff}};

/// Expands a whole raw deflate stream into exactly `into`.
///
/// @param file  named in errors, never opened
/// @throws format_error  the stream is corrupt or cut short, holds more or fewer bytes, or is followed by others
void expand(std::span<const std::byte> compressed, std::span<std::byte> into, const std::filesystem::path& file = {});

namespace detail {

/// Whether libdeflate was there when the bodies were compiled.
[[nodiscard]] bool has_libdeflate() noexcept;

[[nodiscard]] std::vector<std::byte> compressed_at(std::span<const std::byte> bytes, int level, deflate_piece piece);

/// How to compress bytes that a level was asked for.
struct deflate_way {
    int level;
    bool repetitions;  // are looked for
};

/// The quickest way that does no worse than the level asked for, as far as the middle of the bytes tells. "No worse" is
/// within two thousandths: what several times the time gains beyond that, nobody wants.
[[nodiscard]] deflate_way quickest_way(std::span<const std::byte> bytes, int level);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/bytes/deflate.ipp>
#endif
