// SPDX-License-Identifier: BSD-3-Clause
// Access for the rest of ndkeep to the untyped session of a chunk_writer.
#pragma once

#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct chunk_access {
    /// The session that writes the rows, without their C++ type.
    template <class Writer>
    [[nodiscard]] static auto& session(Writer& of) noexcept {
        return of.session_;
    }
};

}  // namespace ndkeep::detail
