// SPDX-License-Identifier: BSD-3-Clause
// Pickles: how the tool tells one, and the values and arrays in one by their paths.
#pragma once

#include <ndkeep/tree/tree.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// Whether a file with these first bytes is a pickle of protocol 2 to 5, or an npy file of objects, which holds one.
/// Older pickles begin with anything.
[[nodiscard]] bool begins_as_pickle(std::string_view begin);

/// Whether the extension is one of pickles: .pkl, .pickle, .pck or .p.
[[nodiscard]] bool is_named_as_pickle(const std::filesystem::path& path);

/// The value at a path: keys and indexes of lists joined by '/'. The empty path is the root.
/// @throws ndkeep::mismatch_error  no such value
[[nodiscard]] const ndkeep::tree& value_at(const ndkeep::tree& root, const std::filesystem::path& file,
                                           std::string_view path);

/// Calls `use` with each array in a value, in order, and with its path.
/// @param path  of the value
void for_each_leaf(const ndkeep::tree& value, const std::string& path,
                   const std::function<void(const std::string& path, const ndkeep::tree& array)>& use);

/// The paths of all arrays in a value.
/// @param path  of the value
[[nodiscard]] std::vector<std::string> paths_of_arrays(const ndkeep::tree& value, const std::string& path = "");

}  // namespace tool
