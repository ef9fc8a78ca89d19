// SPDX-License-Identifier: BSD-3-Clause
// Trees in npz archives: arrays are members named by their path, all else is the member `tree.json`.
#pragma once

#include <ndkeep/array/reader.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/npy/load.hpp>
#include <ndkeep/npz/writer.hpp>
#include <ndkeep/tree/tree.hpp>

#include <filesystem>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

/// Writes a tree into one archive, whole or not at all: `np.load(file)["region1/values"]` reads an array of it.
/// @throws mismatch_error  text that is not UTF-8, or nested deeper than `deepest_tree`
/// @throws io_error        disk full, no permission: nothing has changed then
void save_tree(const std::filesystem::path& file, const tree& value, const npz_options& options = {});

/// Reads a tree, with all of its arrays. An archive that holds none is a dictionary of its arrays, by their names.
/// @throws io_error, format_error, checksum_error  no file, not what `save_tree` wrote, or not as it was written
[[nodiscard]] tree load_tree(const std::filesystem::path& file, const load_options& options = {});

/// The same, with arrays that stay in the archive until they are asked for: each time anew by `as` and `array`, and
/// without a copy by `map` if they are stored. The archive stays open for as long as the tree or a copy of it lives.
[[nodiscard]] tree open_tree(const std::filesystem::path& file, const load_options& options = {});

namespace core {

/// The member that makes an archive a tree.
inline constexpr std::string_view tree_member = "tree.json";

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/archive.ipp>
#endif
