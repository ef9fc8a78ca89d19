// SPDX-License-Identifier: BSD-3-Clause
// The header of an npy file: reading, checking and writing it.
//
// Layout of a file, as in NEP 1:
//   6 bytes        magic: 93 4E 55 4D 50 59
//   2 bytes        major and minor version: 1.0, 2.0 or 3.0
//   2 or 4 bytes   length of the text that follows, little-endian; 2 bytes in version 1
//   text           a Python dictionary with descr, fortran_order and shape, then blanks and a newline
//   data           all elements, contiguous, in row-major or column-major order
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/order.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The contents of an npy header. Shapes count elements; offsets count bytes from the start of the file.
struct array_info {
    dtype type = {};                      ///< of one element
    std::vector<std::size_t> shape = {};  ///< {} is a scalar with one element
    bool column_major = false;            ///< `fortran_order` of the header; see `written_column_major`
    std::uint64_t data_offset = 0;        ///< bytes before the first element
    std::uint8_t version = 0;             ///< of the format, 1 to 3; 0 if the array has no header

    /// @throws format_error  the number exceeds the largest std::ptrdiff_t; never for a value from `parse_header`
    [[nodiscard]] std::uint64_t size() const;    ///< elements
    [[nodiscard]] std::uint64_t nbytes() const;  ///< bytes of data

    friend bool operator==(const array_info&, const array_info&) = default;
};

/// The order of the data according to its header. An array that has both orders may have either.
[[nodiscard]] inline order order_of(const array_info& info) noexcept {
    return info.column_major ? order::column_major : order::row_major;
}

/// The fixed part of a header: magic, version and the length of the text that follows.
struct preamble {
    std::uint8_t major = 1;
    std::uint8_t minor = 0;
    std::uint64_t header_offset = 0;
    std::uint64_t header_length = 0;  ///< bytes of text, with padding and newline

    [[nodiscard]] std::uint64_t data_offset() const noexcept { return header_offset + header_length; }
};

/// Bytes of the longest preamble: 6 of magic, 2 of version, 4 of header length (2 in version 1).
inline constexpr std::size_t longest_preamble = 12;

/// Reads magic, version and header length. Rejects a false length before memory is allocated for the text.
///
/// @param first_bytes  the first 12 bytes of the file, or all of it if it is shorter
/// @param file         named in errors, never opened
/// @param file_size    bytes from the magic to the end of the file, stream or archive member
/// @throws format_error  an empty file, another magic or version, a length beyond the file or the limit
[[nodiscard]] preamble parse_preamble(std::span<const std::byte> first_bytes, const std::filesystem::path& file,
                                      std::uint64_t file_size, const limits& limit = {});

/// Reads a header, from the magic to the newline at its end.
///
/// @param header  the first `parse_preamble(…).data_offset()` bytes of the file, or more
/// @param file    named in errors, never opened
/// @throws format_error  not a dictionary, keys missing or unknown, a value of the wrong kind, an unsupported dtype, a
///                       limit exceeded, or data that would end beyond the largest std::ptrdiff_t
/// @see NEP 1, "Format Specification: Version 1.0", and the 2.0 and 3.0 changes; the order of the checks is NumPy's
[[nodiscard]] array_info parse_header(std::span<const std::byte> header, const std::filesystem::path& file,
                                      const limits& limit = {});

/// Version and length of a header to write. The defaults are NumPy's choice.
struct header_options {
    std::uint8_t version = 0;  ///< 1, 2 or 3; 0 takes the lowest version that can hold the header
    std::uint64_t length = 0;  ///< bytes from the magic to the data; 0 pads as NumPy does, to a multiple of 64
};

/// The bytes of a header, from magic to newline. They are what `np.save` writes, unless `options` change that.
///
/// @param info  its `data_offset` and `version` are ignored
/// @throws format_error  the header does not fit the version or length asked for, or the array exceeds 63 bits
[[nodiscard]] std::string header_bytes(const array_info& info, const header_options& options = {});

/// The smallest `header_options::length` that holds this header, without the blanks NumPy reserves for growth.
[[nodiscard]] std::uint64_t least_header_length(const array_info& info, std::uint8_t version = 0);

/// The `fortran_order` that NumPy would write. It is true only if the array is column-major and not row-major as well:
/// empty arrays, and arrays with at most one axis longer than 1, are both.
[[nodiscard]] bool written_column_major(const array_info& info);

/// Bytes of an array, after an overflow check: they must fit a std::ptrdiff_t. Extents of 0 do not hide others: the
/// product of the remaining extents is checked as well.
///
/// @throws format_error  the array is too large; the field is "shape"
[[nodiscard]] std::uint64_t checked_nbytes(const dtype& type, const std::vector<std::size_t>& shape,
                                           const std::filesystem::path& file = {});

namespace core {

/// The first bytes of an npy file.
inline constexpr std::string_view magic{"\x93NUMPY", 6};

/// What a header states, with its dtype as text: known also if the dtype is not supported.
struct header_facts {
    std::string descr = {};  ///< the value of 'descr' as Python prints it
    std::vector<std::size_t> shape = {};
    bool column_major = false;
    std::uint64_t data_offset = 0;
    std::uint8_t version = 0;
};

/// Reads a header as `parse_header` does, except for the dtype. Nothing says that an array of this shape fits into the
/// file.
/// @throws format_error  as `parse_header`, except for an unsupported dtype
[[nodiscard]] header_facts parse_header_facts(std::span<const std::byte> header, const std::filesystem::path& file,
                                              const limits& limit = {});

/// The same bytes as a string view, without a copy or a check.
[[nodiscard]] std::string_view as_text(std::span<const std::byte> bytes);

}  // namespace core

namespace detail {

// Sizes and offsets are at most this value, so that pointer differences and signed file offsets can hold them.
inline constexpr std::uint64_t largest_offset = std::numeric_limits<std::ptrdiff_t>::max();

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/header.ipp>
#endif
