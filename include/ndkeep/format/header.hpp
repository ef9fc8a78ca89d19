// SPDX-License-Identifier: BSD-3-Clause
// Header of an npy file: the bytes between its start and the data, and what they say.
#pragma once

#include <ndkeep/format/dtype.hpp>
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

/// What an npy header says. Shapes count elements, offsets count bytes from the start of the file.
struct array_info {
    dtype type = {};
    std::vector<std::size_t> shape = {};  ///< {} is a scalar with one element
    bool column_major = false;            ///< as the header says; see `written_column_major`
    std::uint64_t data_offset = 0;
    std::uint8_t version = 0;  ///< of the format, 1 to 3; 0 where there is no header

    /// @throws format_error  beyond the largest std::ptrdiff_t; never if `parse_header` made this
    [[nodiscard]] std::uint64_t size() const;    ///< elements
    [[nodiscard]] std::uint64_t nbytes() const;  ///< bytes of data

    friend bool operator==(const array_info&, const array_info&) = default;
};

/// The fixed part of a header: where its text lies in the file.
struct preamble {
    std::uint8_t major = 1;
    std::uint8_t minor = 0;
    std::uint64_t header_offset = 0;
    std::uint64_t header_length = 0;  ///< bytes of text, with padding and newline

    [[nodiscard]] std::uint64_t data_offset() const noexcept { return header_offset + header_length; }
};

/// No preamble is longer.
inline constexpr std::size_t longest_preamble = 12;

/// Reads magic, version and header length, and checks them before anything of that length is read or allocated.
///
/// @param first_bytes  the first 12 bytes of the file, or all of it if it is shorter
/// @param file         named in errors, never opened
/// @param file_size    bytes from the magic to the end of the file, stream or archive member
/// @throws format_error  nothing there, another magic or version, a length beyond the file or the limit
[[nodiscard]] preamble parse_preamble(std::span<const std::byte> first_bytes, const std::filesystem::path& file,
                                      std::uint64_t file_size, const limits& limit = {});

/// Reads a whole header.
///
/// @param header  the first `parse_preamble(…).data_offset()` bytes of the file, or more
/// @throws format_error  not a dictionary, keys missing or unknown, a value of the wrong kind, too many bytes of data
/// @see NEP 1, "Format Specification: Version 1.0", and the 2.0 and 3.0 changes; the order of the checks is NumPy's
[[nodiscard]] array_info parse_header(std::span<const std::byte> header, const std::filesystem::path& file,
                                      const limits& limit = {});

struct header_options {
    std::uint8_t version = 0;  ///< 1, 2 or 3; 0 takes the first that can hold the header
    std::uint64_t length = 0;  ///< bytes from the magic to the data; 0 pads as NumPy does, to a multiple of 64
};

/// A whole header, magic to newline: the bytes `np.save` writes, unless `options` ask for others.
///
/// @param info  its `data_offset` and `version` are not looked at
/// @throws format_error  the header does not fit the version or length asked for, or the array exceeds 63 bits
[[nodiscard]] std::string header_bytes(const array_info& info, const header_options& options = {});

/// The least `header_options::length` that holds this header. NumPy's room to grow is not part of it.
[[nodiscard]] std::uint64_t least_header_length(const array_info& info, std::uint8_t version = 0);

/// Whether NumPy calls an array column-major: only if it is not row-major at the same time, as empty arrays and those
/// with one long axis are.
[[nodiscard]] bool written_column_major(const array_info& info);

/// Bytes of an array, checked: extents, their product and its bytes fit a std::ptrdiff_t, also where another is 0.
///
/// @throws format_error  about "shape"
[[nodiscard]] std::uint64_t checked_nbytes(const dtype& type, const std::vector<std::size_t>& shape,
                                           const std::filesystem::path& file = {});

namespace core {

/// What an npy file begins with.
inline constexpr std::string_view magic{"\x93NUMPY", 6};

/// Bytes as the text they are.
[[nodiscard]] std::string_view as_text(std::span<const std::byte> bytes);

}  // namespace core

namespace detail {

inline constexpr std::uint64_t largest_offset = std::numeric_limits<std::ptrdiff_t>::max();

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/header.ipp>
#endif
