// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/source/feed.hpp>.
#pragma once

#include <ndkeep/loop/detail/source/feed.hpp>

#include <ndkeep/text/json/parser.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE feed_base::feed_base(std::string_view kind, const over_options& options) : kind_(kind) {
    if (options.verify)
        refuse(".verify", "it has no checksums");
}

NDKEEP_INLINE json feed_base::identity() const {
    json said = json::object();
    members_of(said)["kind"] = std::string(kind_);
    return said;
}

NDKEEP_INLINE void feed_base::refuse(const char* what, const char* why) {
    throw mismatch_error({.field = what, .found = "not available for this source", .hint = why});
}

}  // namespace ndkeep::detail
