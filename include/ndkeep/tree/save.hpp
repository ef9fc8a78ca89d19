// SPDX-License-Identifier: BSD-3-Clause
// Saving trees as npz archives, and loading them: each array is a member named by its path, the rest is the member
// `tree.json`.
#pragma once

#include <ndkeep/array/reader.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/npy/load.hpp>
#include <ndkeep/npz/writer.hpp>
#include <ndkeep/tree/tree.hpp>

#include <filesystem>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

/// Writes a tree into one archive, atomically. `np.load(file)["region1/values"]` reads one of its arrays.
/// @throws mismatch_error  text that is not UTF-8, or nested deeper than `deepest_tree`
/// @throws io_error        disk full, no permission: nothing has changed
void save_tree(const std::filesystem::path& file, const tree& value, const npz_options& options = {});

/// Reads a tree with all of its arrays. An archive without a tree becomes a dictionary of its arrays, by name.
/// @throws io_error        no such file, or it cannot be read
/// @throws format_error    not an archive, or its tree is not as `save_tree` writes it
/// @throws checksum_error  the bytes of a member are not those that were stored
/// @throws mismatch_error  `.array` is not 0
[[nodiscard]] tree load_tree(const std::filesystem::path& file, const load_options& options = {});

/// Reads a tree whose arrays stay in the archive. The archive stays open while the tree or a copy of it exists.
///
/// `as` and `array` read an array from the archive at each call. `map` maps an array without a copy, if its member is
/// stored without compression.
/// @throws io_error, format_error, checksum_error, mismatch_error  as `load_tree`; errors in an array's data come when
///         it is read
[[nodiscard]] tree open_tree(const std::filesystem::path& file, const load_options& options = {});

namespace core {

/// The member that holds the tree without its arrays.
inline constexpr std::string_view tree_member = "tree.json";

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/save.ipp>
#endif
