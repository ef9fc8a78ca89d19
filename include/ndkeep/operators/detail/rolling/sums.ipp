// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/rolling/sums.hpp>.
#pragma once

#include <ndkeep/operators/detail/rolling/sums.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void window_columns::resize(std::size_t size) {
    for (auto* const each : {&a, &b, &shift, &count})
        each->resize(size + 4);
}

NDKEEP_INLINE void window_columns::drop(std::size_t some) {
    for (auto* const each : {&a, &b, &shift, &count})
        each->erase(each->begin(), each->begin() + static_cast<std::ptrdiff_t>(some));
}

}  // namespace ndkeep::detail
