// SPDX-License-Identifier: BSD-3-Clause
// An npy file opened: its header read and checked against the file.
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
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// What the header of an npy file says. Reads nothing else; the data may be missing.
/// @throws io_error, format_error
[[nodiscard]] array_info inspect(const std::filesystem::path& file, const limits& limit = {});

namespace core {

/// An npy file held open, with its header read.
struct opened_array {
    file source;
    array_info info;
    std::vector<std::byte> header = {};  ///< from the magic to the data
    std::vector<std::byte> small = {};   ///< of a small file everything, as it was read with the header

    /// How much of the data is there when so many bytes of the file are.
    [[nodiscard]] std::uint64_t data_in(std::uint64_t size) const { return size - std::min(size, info.data_offset); }
    [[nodiscard]] bool is_in_memory() const { return !small.empty() && data_in(small.size()) >= info.nbytes(); }

    [[nodiscard]] byte_source bytes() const;
};

/// Opens a file and reads its header; the data may be missing.
/// @throws io_error, format_error
[[nodiscard]] opened_array open_header(const std::filesystem::path& path, const limits& limit,
                                       file::access access = file::access::read);

/// Checks that the file holds all of the data that its header promises. Measured after the header was read: whoever
/// appends extends the file first.
/// @throws format_error  it is cut short
void check_data(const opened_array& array);

/// As `open_header`, and checks the data too.
/// @throws io_error, format_error
[[nodiscard]] opened_array open_array(const std::filesystem::path& path, const limits& limit,
                                      file::access access = file::access::read);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/inspect.ipp>
#endif
