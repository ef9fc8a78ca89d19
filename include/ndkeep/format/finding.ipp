// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/finding.hpp>.
#pragma once

#include <ndkeep/format/finding.hpp>

#include <ostream>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE std::ostream& operator<<(std::ostream& out, const finding& problem) { return out << problem.message; }

namespace detail {

NDKEEP_INLINE void throw_first(const std::vector<finding>& all) {
    if (!all.empty())
        std::rethrow_exception(all.front().cause);
}

}  // namespace detail

}  // namespace ndkeep
