// SPDX-License-Identifier: BSD-3-Clause
// The JSON text of a tree, with its arrays named and left to others, and back.
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

/// Lists and dictionaries in each other, at most. JSON may be nested a little deeper, for what is around the tree.
inline constexpr std::size_t deepest_tree = 120;

/// A tree as text. Arrays and numbers that are not finite are listed beside it by their paths: keys and indexes.
struct tree_document {
    std::string text;                                  ///< JSON
    std::vector<std::pair<std::string, tree>> arrays;  ///< names, each once, without the ".npy" of the text; and leaves
};

/// Names arrays by their paths, as in "region1/values"; the root itself is "arr_0". A name that is taken gets "#2",
/// and a path that no zip can hold as a name is "array".
/// @throws mismatch_error  text that is not UTF-8, or nested deeper than `deepest_tree`
[[nodiscard]] tree_document document_of(const tree& value);

/// @param file  named in errors, never opened
/// @param leaf  the array of a member, whose name is as listed: "region1/values.npy". Each is asked for once.
/// @throws format_error  not such a text, or with more values than `limit` allows; names the field
[[nodiscard]] tree tree_of(std::string_view text, const std::filesystem::path& file,
                           const std::function<tree(const std::string& member)>& leaf, const limits& limit = {});

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/document.ipp>
#endif
