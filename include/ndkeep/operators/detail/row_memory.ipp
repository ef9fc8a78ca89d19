// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/row_memory.hpp>.
#pragma once

#include <ndkeep/operators/detail/row_memory.hpp>

#include <ndkeep/error.hpp>

#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE row_memory memory_of(const array_view& array, std::string side) {
    if (array.shape().size() != 1)
        throw mismatch_error({.field = side + " shape", .expected = "1 dimension", .found = shape_text(array.shape())});
    row_memory rows{.side = std::move(side), .type = array.type(), .count = array.shape()[0]};
    rows.step = static_cast<std::ptrdiff_t>(array.type().size());
    if (array.elements() != nullptr) {
        rows.data = array.elements();
        // xtensor gives an axis of one element the stride 0.
        rows.step = array.strides()[0];
    } else if (rows.count != 0) {
        const auto kept = std::make_shared<buffer>(array.nbytes());
        array.fill(0, rows.count, kept->data());
        rows.data = kept->data();
        rows.kept = kept;
    }
    return rows;
}

}  // namespace ndkeep::detail
