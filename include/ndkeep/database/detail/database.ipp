// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/database.hpp>.
#pragma once

#include <ndkeep/database/database.hpp>

#include <ndkeep/error.hpp>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE void database::check_alignment(const detail::stored_array& stored, std::size_t alignment) {
    if (stored.info().data_offset % alignment != 0)
        throw mismatch_error({.file = stored.path(),
                              .field = "offset of the data",
                              .expected = "a multiple of " + counted(alignment, "byte"),
                              .found = counted(stored.info().data_offset, "byte"),
                              .hint = "save the array again"});
}

}  // namespace ndkeep
