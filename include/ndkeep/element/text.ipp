// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/element/text.hpp>.
#pragma once

#include <ndkeep/element/text.hpp>

#include <ndkeep/error.hpp>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE void refuse_text(std::size_t room, std::size_t length) {
    throw mismatch_error({.field = "text",
                          .expected = "at most " + counted(room, "character"),
                          .found = counted(length, "character"),
                          .hint = "text is never truncated"});
}

}  // namespace detail

}  // namespace ndkeep
