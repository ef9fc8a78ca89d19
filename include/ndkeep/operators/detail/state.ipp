// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/state.hpp>.
#pragma once

#include <ndkeep/operators/detail/state.hpp>

#include <ndkeep/error.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void check_stored_options(const std::string& of, const std::string& options, const std::string& stored) {
    if (stored != options)
        throw mismatch_error({.field = "options of the " + of,
                              .expected = options,
                              .found = stored,
                              .hint = "bind it under another name"});
}

NDKEEP_INLINE void refuse_state(const std::string& of) {
    throw mismatch_error({.field = "state of the " + of, .expected = "parts that fit each other", .found = "others"});
}

}  // namespace ndkeep::detail
