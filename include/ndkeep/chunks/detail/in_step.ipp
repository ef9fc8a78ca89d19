// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/in_step.hpp>.
#pragma once

#include <ndkeep/chunks/in_step.hpp>

#include <ndkeep/error.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE step_limits limits_of(const in_step_options& options) {
    step_limits limits{
        .to = options.to, .warm_up = options.warm_up.counts(), .live = options.live, .late = options.late};
    if (options.from) {
        limits.from = options.from->key();
        limits.mark = options.from->mark();
    }
    return limits;
}

NDKEEP_INLINE std::unique_ptr<step_reading> begin_in_step(const std::vector<step_participant>& of,
                                                          const in_step_options& options) {
    return std::make_unique<step_reading>(of, limits_of(options));
}

NDKEEP_INLINE void check_participants(const std::vector<step_participant>& of) {
    if (of.empty())
        throw mismatch_error({.field = "arrays in step", .expected = "at least 1", .found = "0"});
    check_in_step(versions_of(of));
}

}  // namespace ndkeep::detail
