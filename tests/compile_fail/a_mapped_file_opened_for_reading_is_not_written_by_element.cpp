// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): assignment of read-only location
// expect(clang): cannot assign to return value because .* returns a const value
#include <ndkeep/npy/map.hpp>

void store(const std::filesystem::path& file) {
#ifdef CONTROL
    auto array = ndkeep::map<double>(file, ndkeep::read_write);
#else
    auto array = ndkeep::map<double>(file);
#endif
    array(0, 3) = 21.5;
}
