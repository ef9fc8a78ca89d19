// SPDX-License-Identifier: BSD-3-Clause
// Saving an npy file under a lock that the caller holds.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/npy/save.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Saves `array` to the target of `lock`, as `save` does.
/// @throws io_error, mismatch_error, conflict_error  as `save`
void save_under(writer_lock&& lock, const array_view& array, const save_options& options);

}  // namespace ndkeep::detail
