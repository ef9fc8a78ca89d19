// SPDX-License-Identifier: BSD-3-Clause
// Rows of two numbers that count up.
#pragma once

#include "chunks/dataset.hpp"

#include <array>
#include <cstddef>

namespace rows_of_pairs {

using rows_of_two = xt::xtensor<double, 2>;

/// Rows of two numbers that count from `first`.
inline rows_of_two counted(std::size_t rows, double first = 0) {
    rows_of_two array(std::array<std::size_t, 2>{rows, 2});
    for (std::size_t i = 0; i < array.size(); ++i)
        array.data()[i] = first + static_cast<double>(i);
    return array;
}

inline rows_of_two joined(const rows_of_two& a, const rows_of_two& b) { return xt::concatenate(xt::xtuple(a, b), 0); }

}  // namespace rows_of_pairs
