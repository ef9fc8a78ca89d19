// SPDX-License-Identifier: BSD-3-Clause
// Windows of right rows, and the check of the columns that are taken in them.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Numbers from 0 on, one for each row. Their memory is not zeroed first.
struct group_numbers {
    std::unique_ptr<std::uint32_t[]> data = {};
    std::size_t size = 0;
};

/// What is known of the right side when windows are made.
struct right_rows {
    std::size_t count = 0;
    group_numbers groups = {};      // of each row
    std::uint32_t group_count = 0;  // 0: rows have no groups
};

/// Puts the rows of each window, the oldest first, to `out`. -1 is no row.
void fill_windows(const std::int64_t* rows, std::size_t count, std::size_t window, const right_rows& right,
                  std::int64_t* out);

/// @throws mismatch_error  a column that has not one value for each row of the right side
void check_column(const std::vector<std::size_t>& shape, std::size_t rows);

template <class Column>
[[nodiscard]] std::vector<std::size_t> shape_as_vector(const Column& column) {
    return {column.shape().begin(), column.shape().end()};
}

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/as_of/windows.ipp>
#endif
