// SPDX-License-Identifier: BSD-3-Clause
// The contents of a path as a tree of nodes: files in folders, members in archives, values in trees and pickles, chunks
// in chunked arrays, arrays in databases.
#pragma once

#include "output.hpp"
#include "subject.hpp"

#include <ndkeep/tree/tree.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tool {

struct node {
    std::string name = {};
    std::string kind = {};                        ///< "npy", "npz", "member", "chunk", "list", …
    std::optional<ndkeep::array_info> info = {};  ///< present for arrays
    std::string value = {};                       ///< value of a scalar in a tree, as JSON
    std::uint64_t nbytes = 0;                     ///< bytes of the data
    std::uint64_t stored_nbytes = 0;              ///< bytes used in the file, including headers
    std::string note = {};     ///< compression method of a member, rows of a chunk, commit of a database
    std::string problem = {};  ///< why the node cannot be read; empty if it can
    std::vector<node> children = {};
    /// What the header of an array states whose dtype is not supported.
    std::optional<ndkeep::core::header_facts> unsupported = {};
    std::size_t left_out = 0;  ///< number of values that were not listed because of the limit
};

/// No limit of depth. A depth of 0 lists only the node itself.
inline constexpr std::size_t full_depth = static_cast<std::size_t>(-1);

/// Builds the node of a path from headers only. Errors below the node itself are stored in `problem`.
/// @param in_full      descend into folders and nest trees; if false, the contents of the path are one flat list
/// @param most_values  limit of nodes for each tree in an archive or pickle, in drawing order; the others are only
///                     counted
[[nodiscard]] node node_of(const subject& what, std::size_t depth, bool in_full,
                           std::size_t most_values = static_cast<std::size_t>(-1));

/// The node of a value, with a node for each value in it.
/// @param most_values  as above
[[nodiscard]] node node_of_value(std::string name, const ndkeep::tree& value,
                                 std::size_t most_values = static_cast<std::size_t>(-1));

/// The last commit of a database, and the one of the files if a reader still holds that: "4, the files still at 2".
[[nodiscard]] std::string commit_text(std::uint64_t committed, std::uint64_t applied);

/// Whether the node or any node below it has a problem.
[[nodiscard]] bool has_problem(const node& of);

/// Description of a node in one line: "float64 (8759,) 102.6 KiB" and notes.
[[nodiscard]] std::string described(const node& of);

/// The nodes below this one as text, with lines that connect them.
[[nodiscard]] std::string drawn(const node& root, const terminal& screen, std::string_view indent = "");

[[nodiscard]] json_object json_of(const node& of);

}  // namespace tool
