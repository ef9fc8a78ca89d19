// SPDX-License-Identifier: BSD-3-Clause
// expect: deleted
#include <ndkeep/tree/tree.hpp>

std::size_t elements(const ndkeep::tree& values) {
#ifdef CONTROL
    const auto array = values.array();
    const ndkeep::any_array& all = array;
#else
    const ndkeep::any_array& all = values.array();
#endif
    return all.size();
}
