// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): use of deleted function .*as_eigen
// expect(clang): call to deleted function 'as_eigen'
#include <ndkeep/bridges/eigen.hpp>
#include <ndkeep/npy/map.hpp>

double sum(const std::filesystem::path& file) {
#ifdef CONTROL
    const auto mapped = ndkeep::map<double, 2>(file);
    return ndkeep::as_eigen(mapped).sum();
#else
    return ndkeep::as_eigen(ndkeep::map<double, 2>(file)).sum();
#endif
}
