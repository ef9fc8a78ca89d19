// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/array/blocks.hpp>.
#pragma once

#include <ndkeep/array/blocks.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/format/dtype.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE array_info info_of(const array_view& array) {
    array_info info{.type = array.type(), .shape = array.shape(), .column_major = array.column_major()};
    // NumPy writes fortran_order True only if the array is not row-major as well.
    info.column_major = written_column_major(info);
    return info;
}

NDKEEP_INLINE void for_each_block(const array_view& array, std::size_t block,
                                  const std::function<void(std::span<const std::byte>, std::size_t count)>& use) {
    const auto item = static_cast<std::size_t>(array.type().size());
    const std::size_t count = array.size();
    // An item of 0 bytes (dtype V0) must not reach the division below. Callers count such elements all the same.
    if (item == 0 || count == 0)
        return use({}, count);
    const std::byte* const there = array.contiguous();
    const std::size_t most = std::max<std::size_t>(1, block / item);
    const buffer made(there != nullptr ? 0 : std::min(count, most) * item);
    for (std::size_t first = 0; first < count; first += most) {
        const std::size_t some = std::min(most, count - first);
        if (there == nullptr)
            array.fill(first, some, made.data());
        use({there != nullptr ? there + first * item : made.data(), some * item}, some);
    }
}

}  // namespace ndkeep::core
