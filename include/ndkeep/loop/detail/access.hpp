// SPDX-License-Identifier: BSD-3-Clause
// Access for a loop to private constructors: of passes, buffers, and writers and readers of states.
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
