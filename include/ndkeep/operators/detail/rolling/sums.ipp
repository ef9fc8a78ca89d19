// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/rolling/sums.hpp>.
#pragma once

#include <ndkeep/operators/detail/rolling/sums.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void window_columns::reserve(std::size_t size) {
    if (a.size() < size + 4)
        for (auto* const each : {&a, &b, &shift, &count})
            each->resize(size + 4);
}

}  // namespace ndkeep::detail
