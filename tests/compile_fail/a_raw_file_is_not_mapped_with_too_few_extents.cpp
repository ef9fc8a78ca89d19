// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): no matching function for call to .map_raw<double, 2>
// expect(clang): cannot convert initializer list argument to 'const map_raw_options<2
#include <ndkeep/npy/map.hpp>

double first(const std::filesystem::path& file) {
#ifdef CONTROL
    return ndkeep::map_raw<double, 2>(file, {.shape = {100, 50}})(0, 0);
#else
    return ndkeep::map_raw<double, 2>(file, {.shape = {100}})(0, 0);
#endif
}
