// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/element/fields.hpp>.
#pragma once

#include <ndkeep/element/fields.hpp>

#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE dtype declared_struct(std::vector<dtype::field> fields, std::size_t size) {
    // Insertion sort, because most structs list their members in order already: one comparison for each is enough then.
    for (std::size_t i = 1; i < fields.size(); ++i)
        for (std::size_t j = i; j > 0 && fields[j].offset < fields[j - 1].offset; --j)
            std::swap(fields[j], fields[j - 1]);
    return dtype::structure(std::move(fields), size);
}

}  // namespace detail

}  // namespace ndkeep
