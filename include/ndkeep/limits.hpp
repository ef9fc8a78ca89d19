// SPDX-License-Identifier: BSD-3-Clause
// What a header may ask for before it is refused.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>

namespace ndkeep::inline NDKEEP_ABI {

/// Bytes of header text that no limit can raise.
inline constexpr std::uint64_t longest_header = std::uint64_t{16} << 20;

/// Bytes of one element that no limit can raise: NumPy's own bound.
inline constexpr std::uint64_t largest_item = 2'147'483'647;

/// Limits on npy headers and archives, checked before anything is allocated. Raise one by name: `{.header_characters =
/// 1'000'000}`.
struct limits {
    /// Characters of header text, padding included; NumPy's own default. The bytes read follow from it: one per
    /// character in versions 1 and 2, at most four in version 3, and never more than `longest_header`.
    std::uint64_t header_characters = 10'000;
    std::size_t nesting = 64;                            ///< brackets in brackets; structs in structs half as deep
    std::size_t fields = 65'536;                         ///< of one struct
    std::size_t dimensions = 64;                         ///< of an array, and of a sub-array with all its brackets
    std::uint64_t item_size = largest_item;              ///< bytes of one element
    std::size_t members = 1'048'576;                     ///< of an archive
    std::uint64_t json_bytes = std::uint64_t{16} << 20;  ///< of an archive's metadata, and of a tree without its arrays
    /// Of a JSON document: every null, boolean, number, string, list and object; keys are not counted. A value takes up
    /// to 50 times as much memory as text.
    std::size_t json_values = 262'144;
};

}  // namespace ndkeep
