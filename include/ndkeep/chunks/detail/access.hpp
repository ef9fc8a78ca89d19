// SPDX-License-Identifier: BSD-3-Clause
// Access for the rest of ndkeep to what chunk_reader and chunk_writer do not show.
#pragma once

#include <ndkeep/version.hpp>

#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct chunk_access {
    /// Opens a reader for a function, which the hints of its errors name.
    template <class Reader, class Location, class Options>
    [[nodiscard]] static Reader reader(std::string_view verb, const Location& where, const Options& options) {
        return Reader(verb, where, options);
    }
    /// The session that writes the rows, without their C++ type.
    template <class Writer>
    [[nodiscard]] static auto& session(Writer& of) noexcept {
        return of.session_;
    }
};

}  // namespace ndkeep::detail
