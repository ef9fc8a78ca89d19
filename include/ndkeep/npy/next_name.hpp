// SPDX-License-Identifier: BSD-3-Clause
// Names for new files that no other file has.
#pragma once

#include <ndkeep/error.hpp>

#include <filesystem>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

/// Reserves the next free name of a series: `next_name("data", "measure", ".npy")` makes the empty file
/// `data/measure_20261120_001.npy`, dated in UTC, and the number is one more than the highest of the series, whatever
/// its date. The file is there when this returns, so no two callers get one name; `save` and `create` fill it.
/// @param prefix, suffix  parts of a file name, without separators
/// @throws io_error        no such directory, or it cannot be written
/// @throws mismatch_error  a separator in a part
[[nodiscard]] std::filesystem::path next_name(const std::filesystem::path& directory, std::string_view prefix,
                                              std::string_view suffix);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npy/detail/next_name.ipp>
#endif
