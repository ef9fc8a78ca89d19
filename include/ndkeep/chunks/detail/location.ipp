// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/location.hpp>.
#pragma once

#include <ndkeep/chunks/location.hpp>

#include <ndkeep/error.hpp>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE dataset_location::dataset_location(given, std::shared_ptr<place> where) : place_(std::move(where)) {
    if (place_ == nullptr)
        throw mismatch_error({.field = "location", .expected = "a path or a place", .found = "a null pointer"});
}

NDKEEP_INLINE std::filesystem::path dataset_location::path() const {
    if (place_ != nullptr)
        return place_->path();
    return detail::display_path(path_);
}

NDKEEP_INLINE std::shared_ptr<place> dataset_location::open(local_place::access wanted) const {
    return place_ != nullptr ? place_ : std::make_shared<local_place>(path_, wanted);
}

}  // namespace ndkeep
