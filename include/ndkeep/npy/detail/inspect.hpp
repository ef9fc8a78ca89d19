// SPDX-License-Identifier: BSD-3-Clause
// An npy file that is open already, read from its header on.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Reads the header, and checks that the data is there.
void read_array(core::opened_array& array, const limits& limit);

}  // namespace ndkeep::detail
