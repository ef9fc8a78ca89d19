// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/as_of/windows.hpp>.
#pragma once

#include <ndkeep/operators/detail/as_of/windows.hpp>

#include <ndkeep/error.hpp>

#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void fill_windows(const std::int64_t* rows, std::size_t count, std::size_t window,
                                const right_rows& right, std::int64_t* out) {
    std::vector<std::int64_t> before;  // of each row of the right side, the row before it in its group
    if (right.group_count != 0 && window > 1) {
        std::vector<std::int64_t> last(right.group_count, -1);
        before.resize(right.count);
        for (std::size_t row = 0; row < right.count; ++row)
            before[row] = std::exchange(last[right.groups.data[row]], static_cast<std::int64_t>(row));
    }
    for (std::size_t i = 0; i < count; ++i, out += window) {
        std::int64_t row = rows[i];
        for (std::size_t j = window; j-- > 0;) {
            out[j] = row;
            if (row >= 0)
                row = before.empty() ? row - 1 : before[static_cast<std::size_t>(row)];
        }
    }
}

NDKEEP_INLINE void check_column(const std::vector<std::size_t>& shape, std::size_t rows) {
    if (shape.size() != 1 || shape[0] != rows)
        throw mismatch_error({.field = "shape of the column",
                              .expected = shape_text(std::vector<std::size_t>{rows}),
                              .found = shape_text(shape),
                              .hint = "one value for each row of the right side"});
}

}  // namespace ndkeep::detail
