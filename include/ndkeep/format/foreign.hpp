// SPDX-License-Identifier: BSD-3-Clause
// Recognising files that are no arrays by their first bytes, so that errors can name what they are.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::core {

/// A format that is often found where an array is expected.
struct foreign_format {
    std::string_view name = {};  ///< with its article: "an HDF5 file"
    std::string_view hint = {};  ///< how to get at the array
};

/// Number of bytes that `foreign_format_of` looks at.
inline constexpr std::size_t foreign_bytes = 12;

/// The format of a file by its first `foreign_bytes` bytes; empty if it is not known.
[[nodiscard]] foreign_format foreign_format_of(std::string_view begin);

}  // namespace ndkeep::core

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/foreign.ipp>
#endif
