// SPDX-License-Identifier: BSD-3-Clause
// How a loop makes what only it can make: passes, buffers, and the writers and readers of states.
#pragma once

#include <ndkeep/version.hpp>

#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct loop_access {
    template <class Made, class... Argument>
    [[nodiscard]] static Made make(Argument&&... arguments) {
        return Made(std::forward<Argument>(arguments)...);
    }
};

}  // namespace ndkeep::detail
