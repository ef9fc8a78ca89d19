// SPDX-License-Identifier: BSD-3-Clause
// expect: no matching function for call to .create
#include <ndkeep/npy/map.hpp>

void make(const std::filesystem::path& file) {
#ifdef CONTROL
    (void)ndkeep::create<double>(file, {100, 50});
#else
    (void)ndkeep::create<double>(file, {100, 1.5});
#endif
}
