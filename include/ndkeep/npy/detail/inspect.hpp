// SPDX-License-Identifier: BSD-3-Clause
// Reading the header of an npy file that is already open.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads the header into `array`, and checks that the file holds all of the data.
/// @throws io_error, format_error, conflict_error
void read_array(core::opened_array& array, const limits& limit);

}  // namespace ndkeep::detail
