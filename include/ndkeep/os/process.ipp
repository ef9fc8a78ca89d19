// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/process.hpp>.
#pragma once

#include <ndkeep/os/process.hpp>

#include <ndkeep/error.hpp>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE void owning_process::check(const std::filesystem::path& file) const {
    if (!is_this())
        throw conflict_error({.file = file,
                              .field = "writer",
                              .expected = "used by the process that opened it",
                              .found = "used by a forked child",
                              .hint = "open it in the child"});
}

}  // namespace ndkeep
