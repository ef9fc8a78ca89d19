// SPDX-License-Identifier: BSD-3-Clause
// expect: tree_value
#include <ndkeep/tree/tree.hpp>

ndkeep::tree keep(const double* values) {
#ifdef CONTROL
    return {{"values", std::span<const double>(values, 3)}};
#else
    return {{"values", values}};
#endif
}
