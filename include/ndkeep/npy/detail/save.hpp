// SPDX-License-Identifier: BSD-3-Clause
// Saving an npy file under a lock that is already held.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/npy/save.hpp>
#include <ndkeep/os/writer_lock.hpp>
#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Saves under a lock that is already held.
void save_under(writer_lock&& lock, const array_view& array, const save_options& options);

}  // namespace ndkeep::detail
