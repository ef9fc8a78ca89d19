// SPDX-License-Identifier: BSD-3-Clause
// Converting a tree to JSON text plus a list of named arrays, and back.
#pragma once

#include <ndkeep/limits.hpp>
#include <ndkeep/tree/tree.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The largest nesting depth of lists and dictionaries. The JSON limit is a little higher (`deepest_json`), because the
/// document adds levels around the tree.
inline constexpr std::size_t deepest_tree = 120;

/// A tree as text. In the text, arrays and numbers that are not finite are listed by their paths: keys and indexes.
struct tree_document {
    std::string text;                                  ///< JSON
    std::vector<std::pair<std::string, tree>> arrays;  ///< unique names, without the ".npy" of the text; and leaves
};

/// Converts a tree. Arrays are named by their paths, as in "region1/values"; an array that is the root is "arr_0". A
/// name that is taken gets "#2" and so on, and a path that zip cannot hold as a name becomes "array".
/// @throws mismatch_error  text that is not UTF-8, or nested deeper than `deepest_tree`
[[nodiscard]] tree_document document_of(const tree& value);

/// Makes a tree from its text.
/// @param file  named in errors, never opened
/// @param leaf  returns the array of a member, by its listed name: "region1/values.npy". Called once for each array
/// @throws format_error  not the text of a tree, or more values than `limit` allows; names the field
[[nodiscard]] tree tree_of(std::string_view text, const std::filesystem::path& file,
                           const std::function<tree(const std::string& member)>& leaf, const limits& limit = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/document.ipp>
#endif
