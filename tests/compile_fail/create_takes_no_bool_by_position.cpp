// SPDX-License-Identifier: BSD-3-Clause
// expect: no matching function for call to .create
// expect: create_options
#include <ndkeep/npy/map.hpp>

void make(const std::filesystem::path& file) {
#ifdef CONTROL
    (void)ndkeep::create<double>(file, {100, 50}, {.replace = true});
#else
    (void)ndkeep::create<double>(file, {100, 50}, true);
#endif
}
