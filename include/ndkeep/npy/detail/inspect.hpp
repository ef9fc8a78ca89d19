// SPDX-License-Identifier: BSD-3-Clause
// Reading the header of an npy file that is already open.
#pragma once

#include <ndkeep/format/header.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads the header into `array`, and checks that the file holds all of the data.
/// @throws io_error, format_error, conflict_error
void read_array(core::opened_array& array, const limits& limit);

/// Offset of the first byte after the data.
[[nodiscard]] inline std::uint64_t data_end(const array_info& info) { return info.data_offset + info.nbytes(); }

/// Bytes of one row; of one column in a column-major file. 0 for a scalar.
[[nodiscard]] std::uint64_t row_bytes(const array_info& info);

}  // namespace ndkeep::detail
