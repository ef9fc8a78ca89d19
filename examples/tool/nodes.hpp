// SPDX-License-Identifier: BSD-3-Clause
// What lies in what: files in folders, members in archives, values in trees, chunks in chunked arrays.
#pragma once

#include "output.hpp"
#include "subject.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tool {

struct node {
    std::string name = {};
    std::string kind = {};                        ///< "npy", "npz", "member", "chunk", "list", …
    std::optional<ndkeep::array_info> info = {};  ///< if it is an array
    std::string value = {};                       ///< of a scalar in a tree, as JSON
    std::uint64_t nbytes = 0;                     ///< of the data
    std::uint64_t stored_nbytes = 0;              ///< that it takes in its file, headers included
    std::string note = {};                        ///< method of a member, rows of a chunk
    std::string problem = {};                     ///< why it cannot be read
    std::vector<node> children = {};
    std::size_t left_out = 0;  ///< values behind the children, beyond the most that were asked for
};

/// Unlimited depth. A depth of 0 is the node itself.
inline constexpr std::size_t full_depth = static_cast<std::size_t>(-1);

/// Reads headers only. What cannot be read below the node itself is told in `problem`.
/// @param in_full      folders within it too, and trees as trees; else what lies in it is one list
/// @param most_values  of each tree in an archive, in the order in which they are drawn; the others are counted
[[nodiscard]] node node_of(const subject& what, std::size_t depth, bool in_full,
                           std::size_t most_values = static_cast<std::size_t>(-1));

/// Whether one of them has a problem.
[[nodiscard]] bool has_problem(const node& of);

/// "float64 (8759,) 102.6 KiB", and whatever else there is to say.
[[nodiscard]] std::string described(const node& of);

/// The nodes below this one, with lines drawn from each to where it belongs.
[[nodiscard]] std::string drawn(const node& root, const terminal& screen, std::string_view indent = "");

[[nodiscard]] json_object json_of(const node& of);

}  // namespace tool
