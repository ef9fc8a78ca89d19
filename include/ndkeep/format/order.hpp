// SPDX-License-Identifier: BSD-3-Clause
// The order in which the elements of an array follow each other, in a file or in memory.
#pragma once

#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI {

/// Which index changes fastest from one element to the next. NumPy calls these orders C and Fortran.
enum class order {
    row_major,    ///< the last index
    column_major  ///< the first index
};

}  // namespace ndkeep
