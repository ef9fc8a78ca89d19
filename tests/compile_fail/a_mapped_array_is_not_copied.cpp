// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): use of deleted function .*mapped
// expect(clang): call to deleted constructor of .*mapped
#include <ndkeep/npy/map.hpp>

double first(const std::filesystem::path& file) {
    auto array = ndkeep::map<double>(file);
#ifdef CONTROL
    const xt::xarray<double> other = array;
#else
    const auto other = array;
#endif
    return other(0);
}
