// SPDX-License-Identifier: BSD-3-Clause
// side_by_side: one structured array with the fields of several arrays.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/version.hpp>

#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// One part of `side_by_side`: an array, and what its fields are called.
struct side_part {
    std::string prefix;  ///< in front of the name of each field; of an array without fields, the name
    array_view rows;     ///< of any dtype; its first axis are the rows
};

/// One array with the fields of all parts, in their order, and a row for each of their rows:
/// `side_by_side({{"", trades}, {"quote_", quotes}})`. The fields are packed. Further axes of a part, as the windows of
/// an as-of, become sub-arrays: a field of a part of shape (n, 3) has three values in each row.
///
/// @throws mismatch_error  parts of different numbers of rows, two fields of one name, an array without fields and
///                         prefix, or a scalar
[[nodiscard]] any_array side_by_side(const std::vector<side_part>& parts);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/side_by_side.ipp>
#endif
