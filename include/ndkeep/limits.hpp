// SPDX-License-Identifier: BSD-3-Clause
// limits: the largest headers, archives and JSON documents that are accepted.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>

namespace ndkeep::inline NDKEEP_ABI {

/// The longest header text in bytes. No limit can raise it.
inline constexpr std::uint64_t longest_header = std::uint64_t{16} << 20;

/// The largest element in bytes, which is the bound of NumPy. No limit can raise it.
inline constexpr std::uint64_t largest_item = 2'147'483'647;

/// Limits on npy headers, archives and JSON documents, checked before memory is allocated for what they limit.
///
/// Raise one by name: `{.header_characters = 1'000'000}`.
struct limits {
    /// Characters of header text, padding included. 10,000 is NumPy's default. It limits the bytes that are read: one
    /// for each character in versions 1 and 2, up to four in version 3, and never more than `longest_header`.
    std::uint64_t header_characters = 10'000;
    std::size_t nesting = 64;                            ///< depth of brackets; of structs in structs half of it
    std::size_t fields = 65'536;                         ///< of one struct
    std::size_t dimensions = 64;                         ///< of an array, and of a sub-array in total
    std::uint64_t item_size = largest_item;              ///< bytes of one element
    std::size_t members = 1'048'576;                     ///< of an archive
    std::uint64_t json_bytes = std::uint64_t{16} << 20;  ///< of an archive's metadata, and of a tree without its arrays
    /// Values of a JSON document: each null, boolean, number, string, list and object, but no key. A value takes up to
    /// 50 times as much memory as its text.
    std::size_t json_values = 262'144;
};

}  // namespace ndkeep
