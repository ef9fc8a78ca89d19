// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/in_step/participant.hpp>.
#pragma once

#include <ndkeep/chunks/detail/in_step/participant.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::vector<const core::chunk_version*> versions_of(const std::vector<step_participant>& of) {
    std::vector<const core::chunk_version*> versions;
    for (const auto& participant : of)
        versions.push_back(participant.version);
    return versions;
}

}  // namespace ndkeep::detail
