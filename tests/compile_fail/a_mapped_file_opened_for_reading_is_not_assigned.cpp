// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): no match for .operator=.
// expect(clang): no viable overloaded '='
#include <ndkeep/npy/map.hpp>

void store(const std::filesystem::path& file, const xt::xtensor<double, 2>& values) {
#ifdef CONTROL
    auto array = ndkeep::map<double, 2>(file, ndkeep::read_write);
#else
    auto array = ndkeep::map<double, 2>(file);
#endif
    array = values;
}
