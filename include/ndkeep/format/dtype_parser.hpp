// SPDX-License-Identifier: BSD-3-Clause
// Parsing of dtypes: the value of 'descr' in a header, and the text that numpy.dtype accepts. <ndkeep/format/dtype.hpp>
// declares dtype::parse.
#pragma once

#include <ndkeep/text/python/literal.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {
namespace detail {

/// Reads one extent of an array or sub-array, from 0 to the largest std::ptrdiff_t. True is rejected: Python takes it
/// for the integer 1, but NumPy fails on it later.
///
/// @param field, whole, file  the field, the complete shape and the file, for errors
/// @throws format_error  not an integer, negative, or too large
[[nodiscard]] std::size_t read_extent(const literal& value, std::string_view field, const literal& whole,
                                      const std::filesystem::path& file);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/dtype_parser.ipp>
#endif
