// SPDX-License-Identifier: BSD-3-Clause
// The rows of a one-dimensional array as an address and a step. Only rows that are computed are copied.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The rows of a one-dimensional array in memory.
struct row_memory {
    std::string side = {};  // in errors: "left", "right" or "rows"
    dtype type = {};
    const std::byte* data = nullptr;
    std::ptrdiff_t step = 0;  // bytes from one row to the next
    std::size_t count = 0;
    std::shared_ptr<const buffer> kept = {};  // the rows, if they were computed
    std::size_t first = 0;                    // the number of the first row in errors

    [[nodiscard]] const std::byte* at(std::size_t row) const { return data + static_cast<std::ptrdiff_t>(row) * step; }
};

/// The rows of an array, in place if it is in memory.
/// @param side  for errors
/// @throws mismatch_error  not one-dimensional
[[nodiscard]] row_memory memory_of(const array_view& array, std::string side);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/row_memory.ipp>
#endif
