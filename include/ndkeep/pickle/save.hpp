// SPDX-License-Identifier: BSD-3-Clause
// Writing trees as pickles that Python reads with pickle.load.
#pragma once

#include <ndkeep/pickle/options.hpp>
#include <ndkeep/tree/tree.hpp>
#include <ndkeep/version.hpp>

#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI {

/// Writes a tree as a pickle, atomically. `pickle.load` gives None, bool, int, float, str, list, dict and
/// numpy.ndarray, and needs NumPy only if there are arrays.
///
/// Elements of arrays begin at multiples of 64 bytes in the file, so that `load_pickle` can map them. Protocol 2 is for
/// Python 2 and has no bytes: arrays take up to twice their size.
/// @throws mismatch_error  another protocol; text that is not UTF-8; bfloat16, which NumPy does not have; nested deeper
///                         than `deepest_tree`
/// @throws io_error        disk full, no permission: nothing has changed
void save_pickle(const std::filesystem::path& file, const tree& value, const save_pickle_options& options = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/save.ipp>
#endif
