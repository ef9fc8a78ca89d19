// SPDX-License-Identifier: BSD-3-Clause
// What the rest of ndkeep knows of a chunk_writer, and its users need not.
#pragma once

#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct chunk_access {
    /// The rows on their way, without their C++ type.
    template <class Writer>
    [[nodiscard]] static auto& session(Writer& of) noexcept {
        return of.session_;
    }
};

}  // namespace ndkeep::detail
