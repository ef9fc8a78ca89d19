// SPDX-License-Identifier: BSD-3-Clause
// expect: deleted
// expect: items
#include <ndkeep/tree/tree.hpp>

ndkeep::tree make();

std::size_t characters() {
    std::size_t count = 0;
#ifdef CONTROL
    const ndkeep::tree made = make();
    for (const auto& [key, value] : made.items())
#else
    for (const auto& [key, value] : make().items())
#endif
        count += key.size();
    return count;
}
