// SPDX-License-Identifier: BSD-3-Clause
// dtypes with their text form both ways: the value, and dtype::parse, which reads what stands behind 'descr' in a
// header and what numpy.dtype takes.
#pragma once

#include <ndkeep/text/python/literal.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {
namespace detail {

/// An extent of an array or sub-array, from 0 to the largest std::ptrdiff_t. Python counts True as 1, NumPy fails on
/// it.
///
/// @param field, whole  named in errors
[[nodiscard]] std::size_t read_extent(const literal& value, std::string_view field, const literal& whole,
                                      const std::filesystem::path& file);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/dtype_parser.ipp>
#endif
