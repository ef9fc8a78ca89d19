// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): assignment of read-only location
// expect(clang): (cannot assign to|read-only|is not assignable)
#include <ndkeep/npy/map.hpp>

void store(const std::filesystem::path& file) {
#ifdef CONTROL
    auto array = ndkeep::map<double, 2>(file, ndkeep::read_write);
#else
    auto array = ndkeep::map<double, 2>(file);
#endif
    *array.begin() = 0;
    array.data()[0] = 0;
}
