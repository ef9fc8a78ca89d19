// SPDX-License-Identifier: BSD-3-Clause
// Values of one kind as an array: what np.array would make of the elements of an object array.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/tree/tree.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// @param values  lists of lists, as deep as the shape has axes
/// @param file    named in errors
/// @param most    bytes of the result: texts of very different lengths could take much more than the file
/// @throws mismatch_error  elements without a common dtype
[[nodiscard]] any_array array_of_values(const tree& values, const std::vector<std::size_t>& shape,
                                        const std::filesystem::path& file, std::uint64_t most);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/objects.ipp>
#endif
