// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/options.hpp>.
#pragma once

#include <ndkeep/loop/options.hpp>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE bool cadence::is_due(std::uint64_t chunks, std::chrono::steady_clock::time_point since) const {
    if (chunks_ != 0)
        return chunks >= chunks_;
    return std::chrono::steady_clock::now() - since >= time_;
}

}  // namespace ndkeep
