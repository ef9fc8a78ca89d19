// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/element/strided.hpp>.
#pragma once

#include <ndkeep/element/strided.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE shape_type shape_of_rows(std::uint64_t rows, const shape_type& row_shape) {
    shape_type shape = {static_cast<std::size_t>(rows)};
    shape.insert(shape.end(), row_shape.begin(), row_shape.end());
    return shape;
}

NDKEEP_INLINE bool is_contiguous(const shape_type& shape, const strides_type& strides, std::size_t item,
                                 order wanted) noexcept {
    if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end())
        return true;
    auto step = static_cast<std::ptrdiff_t>(item);
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const std::size_t axis = wanted == order::column_major ? i : shape.size() - 1 - i;
        if (shape[axis] != 1 && strides[axis] != step)
            return false;
        step *= static_cast<std::ptrdiff_t>(shape[axis]);
    }
    return true;
}

NDKEEP_INLINE void copy_run(std::byte* to, std::ptrdiff_t to_step, const std::byte* from, std::ptrdiff_t from_step,
                            std::size_t count, std::size_t item) noexcept {
    const auto width = static_cast<std::ptrdiff_t>(item);
    if (to_step == width && from_step == width) {
        std::memcpy(to, from, count * item);
        return;
    }
    // With a constant size the compiler turns memcpy into plain moves.
    const auto each = [&]<std::size_t Size>(std::integral_constant<std::size_t, Size>) {
        for (std::size_t i = 0; i < count; ++i, to += to_step, from += from_step)
            std::memcpy(to, from, Size != 0 ? Size : item);
    };
    switch (item) {
    case 1:
        return each(std::integral_constant<std::size_t, 1>());
    case 2:
        return each(std::integral_constant<std::size_t, 2>());
    case 4:
        return each(std::integral_constant<std::size_t, 4>());
    case 8:
        return each(std::integral_constant<std::size_t, 8>());
    case 16:
        return each(std::integral_constant<std::size_t, 16>());
    default:
        return each(std::integral_constant<std::size_t, 0>());
    }
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE std::size_t product(const shape_type& shape) noexcept {
    std::size_t values = 1;
    for (const std::size_t extent : shape)
        values *= extent;
    return values;
}

NDKEEP_INLINE strides_type strides_of(const shape_type& shape, std::size_t item, order wanted) {
    strides_type strides(shape.size());
    auto step = static_cast<std::ptrdiff_t>(item);
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const std::size_t axis = wanted == order::column_major ? i : shape.size() - 1 - i;
        strides[axis] = step;
        step *= static_cast<std::ptrdiff_t>(shape[axis]);
    }
    return strides;
}

NDKEEP_INLINE void copy_strided(std::byte* to, const strides_type& to_strides, const std::byte* from,
                                const strides_type& from_strides, const shape_type& shape, std::size_t item) {
    const std::size_t rank = shape.size();
    if (product(shape) == 0 || item == 0)
        return;
    // The two inner loops run over the axes with the smallest stride in each layout, so that both the reads and the
    // writes of a tile share cache lines.
    const auto closest = [&](const strides_type& strides) {
        std::size_t best = rank;
        for (std::size_t axis = 0; axis < rank; ++axis)
            if (shape[axis] > 1 && (best == rank || std::abs(strides[axis]) <= std::abs(strides[best])))
                best = axis;
        return best;
    };
    const std::size_t inner = closest(to_strides);
    const std::size_t across = closest(from_strides);
    if (inner == rank) {  // a single element: no axis is longer than 1
        std::memcpy(to, from, item);
        return;
    }
    // One plane: the elements along `inner` and `across`, or one line if these are the same axis.
    constexpr std::size_t tile = 32;
    const auto plane = [&](std::byte* out, const std::byte* in) {
        if (across == inner) {
            detail::copy_run(out, to_strides[inner], in, from_strides[inner], shape[inner], item);
            return;
        }
        for (std::size_t i = 0; i < shape[across]; i += tile) {
            const std::size_t i_end = std::min(i + tile, shape[across]);
            for (std::size_t j = 0; j < shape[inner]; j += tile) {
                const std::size_t length = std::min(tile, shape[inner] - j);
                for (std::size_t k = i; k < i_end; ++k)
                    detail::copy_run(out + static_cast<std::ptrdiff_t>(k) * to_strides[across] +
                                         static_cast<std::ptrdiff_t>(j) * to_strides[inner],
                                     to_strides[inner],
                                     in + static_cast<std::ptrdiff_t>(k) * from_strides[across] +
                                         static_cast<std::ptrdiff_t>(j) * from_strides[inner],
                                     from_strides[inner], length, item);
            }
        }
    };
    // Visits all planes: counts through the other axes, the last axis fastest.
    shape_type index(rank, 0);
    for (;;) {
        plane(to, from);
        std::size_t axis = rank;
        while (axis-- > 0) {
            if (axis == inner || axis == across)
                continue;
            to += to_strides[axis];
            from += from_strides[axis];
            if (++index[axis] < shape[axis])
                break;
            to -= to_strides[axis] * static_cast<std::ptrdiff_t>(shape[axis]);
            from -= from_strides[axis] * static_cast<std::ptrdiff_t>(shape[axis]);
            index[axis] = 0;
        }
        if (axis == static_cast<std::size_t>(-1))  // every axis has wrapped around
            return;
    }
}

NDKEEP_INLINE void gather(std::byte* to, std::size_t first, std::size_t count, const std::byte* from,
                          const strides_type& strides, const shape_type& shape, std::size_t item) {
    if (count == 0)
        return;
    const std::size_t rank = shape.size();
    if (rank == 0) {
        std::memcpy(to, from, item);
        return;
    }
    // Splits `first` into one index for each axis. Elements are wanted, so no extent is 0 and the divisions are safe.
    shape_type index(rank);
    const std::byte* row = from;  // the element with the last index 0
    for (std::size_t axis = rank, rest = first; axis-- > 0; rest /= shape[axis]) {
        index[axis] = rest % shape[axis];
        if (axis + 1 < rank)
            row += strides[axis] * static_cast<std::ptrdiff_t>(index[axis]);
    }
    const std::size_t last = rank - 1;
    for (;;) {
        const std::size_t length = std::min(count, shape[last] - index[last]);
        detail::copy_run(to, static_cast<std::ptrdiff_t>(item),
                         row + strides[last] * static_cast<std::ptrdiff_t>(index[last]), strides[last], length, item);
        to += length * item;
        count -= length;
        if (count == 0)
            return;
        index[last] = 0;
        for (std::size_t axis = last; axis-- > 0;) {
            row += strides[axis];
            if (++index[axis] < shape[axis])
                break;
            row -= strides[axis] * static_cast<std::ptrdiff_t>(shape[axis]);
            index[axis] = 0;
        }
    }
}

}  // namespace ndkeep::core
