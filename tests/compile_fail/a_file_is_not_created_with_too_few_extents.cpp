// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): could not convert .* to .const ndkeep::.*length
// expect(clang): too few initializers in list argument to 'const ndkeep::.*length\[2\]'
#include <ndkeep/npy/map.hpp>

void make(const std::filesystem::path& file) {
#ifdef CONTROL
    (void)ndkeep::create<double, 2>(file, {100, 50});
#else
    (void)ndkeep::create<double, 2>(file, {100});
#endif
}
