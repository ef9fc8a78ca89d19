// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): assignment of read-only location
// expect(clang): (cannot assign to|is not assignable|const-qualified)
#include <ndkeep/npy/map.hpp>

void store(const std::filesystem::path& file) {
#ifdef CONTROL
    auto array = ndkeep::map<double, 2>(file, ndkeep::read_write);
#else
    auto array = ndkeep::map<double, 2>(file);
#endif
    xt::row(array, 1) *= 1.8;
}
