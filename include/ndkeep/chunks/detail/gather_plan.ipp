// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/gather_plan.hpp>.
#pragma once

#include <ndkeep/chunks/detail/gather_plan.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::vector<gathered_plan> plan_gathering(const std::vector<gathered_range>& ranges, std::uint64_t page,
                                                        std::uint64_t worth_it) {
    std::vector<gathered_plan> plan;
    std::uint64_t at = gathered_begin;
    for (const auto& range : ranges) {
        gathered_plan next{at, 0, 0};
        // Zeros need nothing: reserved memory is zero.
        if (range.has_file) {
            const std::uint64_t head = (page - at % page) % page;
            const bool agrees = at % page == range.file_offset % page;
            // A range that ends before the next page boundary has no page to map.
            if (agrees && range.length >= worth_it && range.length > head) {
                next.read = head;
                next.mapped = range.length - head;
            } else {
                next.read = range.length;
            }
        }
        plan.push_back(next);
        at += range.length;
    }
    return plan;
}

}  // namespace ndkeep::detail
