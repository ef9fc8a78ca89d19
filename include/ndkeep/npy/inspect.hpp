// SPDX-License-Identifier: BSD-3-Clause
// Reading only the header of an npy file, and an open npy file with its header checked.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/os/file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Reads only the header of an npy file: dtype, shape, order, and where the data begins. The data may be missing.
/// @throws io_error, format_error  no file, or not an npy header
[[nodiscard]] array_info inspect(const std::filesystem::path& file, const limits& limit = {});

/// The same for the bytes of an npy file in memory.
[[nodiscard]] array_info inspect(std::span<const std::byte> bytes, const limits& limit = {});

/// Reads the headers of all arrays in one file, as several calls of np.save with one open file write them. Most files
/// hold one. `load_options{.array = n}` reads the array of element n.
/// @throws io_error, format_error  no file, or not an npy header
[[nodiscard]] std::vector<array_info> inspect_all(const std::filesystem::path& file, const limits& limit = {});
[[nodiscard]] std::vector<array_info> inspect_all(std::span<const std::byte> bytes, const limits& limit = {});

namespace core {

/// An npy file held open, with its header read.
struct opened_array {
    file source;
    array_info info;
    std::vector<std::byte> header = {};  ///< all bytes before the data
    /// All bytes of a small file, from the read that confirmed the header; else empty.
    std::vector<std::byte> small = {};

    /// Bytes of data in the first `size` bytes of the file.
    [[nodiscard]] std::uint64_t data_in(std::uint64_t size) const { return size - std::min(size, info.data_offset); }
    /// Whether `small` holds all of the data, so that the file need not be read again.
    [[nodiscard]] bool is_in_memory() const { return !small.empty() && data_in(small.size()) >= info.nbytes(); }

    /// The file's bytes: from memory if `is_in_memory()`, else from the file.
    [[nodiscard]] byte_source bytes() const;
};

/// Opens a file and reads its header; the data may be missing.
/// @throws io_error, format_error
/// @throws conflict_error  the header changes at every attempt to read it
[[nodiscard]] opened_array open_header(const std::filesystem::path& path, const limits& limit,
                                       file::access access = file::access::read);

/// Checks that the file holds all of the data that its header states.
///
/// The size is taken after the header was read. An append writes the rows first and the header last, so a size taken
/// before could be too small for the header.
/// @throws format_error  the file is cut short, or a copy in text mode has changed its bytes
void check_data(const opened_array& array);

/// Checks the same for a file, or bytes in memory, of `size` bytes.
void check_data(const byte_source& source, const array_info& info, std::uint64_t size);

/// Opens a file as `open_header` does, and checks that its data is complete.
/// @throws io_error, format_error, conflict_error
[[nodiscard]] opened_array open_array(const std::filesystem::path& path, const limits& limit,
                                      file::access access = file::access::read);

/// Opens a file as `open_array` does, for the array `number` of the file; the first is 0.
/// @throws mismatch_error  the file holds fewer arrays
[[nodiscard]] opened_array open_numbered(const std::filesystem::path& path, const limits& limit, std::size_t number,
                                         file::access mode = file::access::read);

/// Reads the header of the array `number` in `bytes`, and checks that its data is complete.
/// @throws mismatch_error  there are fewer arrays
[[nodiscard]] array_info numbered_array(std::span<const std::byte> bytes, const limits& limit, std::size_t number);

/// The problem of a file that does not end with its data: rows that the header does not count, another array, or other
/// bytes.
///
/// nullopt if nothing follows the data, or while another program appends. A sound file is not read.
/// @param array  `check_data` has accepted it
[[nodiscard]] std::optional<format_error> problem_after_data(const opened_array& array);

/// Looks for the same in `size` bytes that nobody changes.
[[nodiscard]] std::optional<format_error> problem_after_data(const byte_source& source, const array_info& info,
                                                             std::uint64_t size);

}  // namespace core

namespace detail {

/// The path that errors show for arrays in memory: empty.
[[nodiscard]] const std::filesystem::path& name_in_memory() noexcept;

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/inspect.ipp>
#endif
