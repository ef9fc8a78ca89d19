// SPDX-License-Identifier: BSD-3-Clause
// Reading the header of an npy file that is already open.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {
struct opened_array;
}

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads the header into `array`, and checks that the file holds all of the data.
/// @throws io_error, format_error, conflict_error
void read_array(core::opened_array& array, const limits& limit);

/// Reads the header that begins at byte `offset` of `size` bytes, and returns its bytes in `header`. The data may be
/// missing.
/// @throws format_error  not an npy header
[[nodiscard]] array_info header_at(const byte_source& source, std::uint64_t offset, std::uint64_t size,
                                   const limits& limit, std::vector<std::byte>& header);

/// Offset of the first byte after the data.
[[nodiscard]] inline std::uint64_t data_end(const array_info& info) { return info.data_offset + info.nbytes(); }

/// The axis along which rows are appended: the slowest one of the file.
/// @param info  at least 1 dimension
[[nodiscard]] inline std::size_t growing_axis(const array_info& info) {
    return info.column_major ? info.shape.size() - 1 : 0;
}

/// Bytes of one row; of one column in a column-major file. 0 for a scalar.
[[nodiscard]] std::uint64_t row_bytes(const array_info& info);

/// Whether another array begins at byte `offset` of a file of `size` bytes.
[[nodiscard]] bool begins_array(const byte_source& source, std::uint64_t offset, std::uint64_t size);

}  // namespace ndkeep::detail

// At the end, because its bodies use the declarations above.
#include <ndkeep/npy/inspect.hpp>
