// SPDX-License-Identifier: BSD-3-Clause
// Unique, numbered names for new files.
#pragma once

#include <ndkeep/error.hpp>

#include <filesystem>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

/// Reserves the next free name of a series: `next_name("data", "measure", ".npy")` makes the empty file
/// `data/measure_20261120_001.npy`.
///
/// The date is in UTC. The number is one more than the highest in the series, whatever the dates. The empty file is
/// created exclusively, so two callers never get the same name. `save` and `create` fill it.
/// @param prefix, suffix  parts of a file name, without separators
/// @throws io_error        the directory does not exist, or cannot be written
/// @throws mismatch_error  a separator in a part
[[nodiscard]] std::filesystem::path next_name(const std::filesystem::path& directory, std::string_view prefix,
                                              std::string_view suffix);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/next_name.ipp>
#endif
