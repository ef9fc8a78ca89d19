// SPDX-License-Identifier: BSD-3-Clause
// Access to the private members of databases, for other parts of the library.
#pragma once

#include <ndkeep/version.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct database_access {
    /// The transaction of a database.
    template <class Database>
    [[nodiscard]] static auto session(Database& of) noexcept {
        return of.session_;
    }
};

}  // namespace ndkeep::detail
