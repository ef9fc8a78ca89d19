// SPDX-License-Identifier: BSD-3-Clause
// The format strings of Arrow's C data interface that stand for a dtype.
#pragma once

#include <ndkeep/version.hpp>

#include <array>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct arrow_number {
    char format;
    char kind;  // of NumPy
    unsigned bytes;
};
inline constexpr std::array<arrow_number, 12> arrow_numbers = {{{'b', 'b', 1},
                                                                {'c', 'i', 1},
                                                                {'C', 'u', 1},
                                                                {'s', 'i', 2},
                                                                {'S', 'u', 2},
                                                                {'i', 'i', 4},
                                                                {'I', 'u', 4},
                                                                {'l', 'i', 8},
                                                                {'L', 'u', 8},
                                                                {'e', 'f', 2},
                                                                {'f', 'f', 4},
                                                                {'g', 'f', 8}}};

struct arrow_unit {
    char format;
    std::string_view unit;  // of NumPy
};
inline constexpr std::array<arrow_unit, 4> arrow_units = {{{'s', "s"}, {'m', "ms"}, {'u', "us"}, {'n', "ns"}}};

}  // namespace ndkeep::inline NDKEEP_ABI::detail
