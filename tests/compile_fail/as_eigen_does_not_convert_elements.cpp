// SPDX-License-Identifier: BSD-3-Clause
// expect: as_eigen
// expect: same_as<
#include <ndkeep/bridges/eigen.hpp>
#include <ndkeep/npy/map.hpp>

double sum(const std::filesystem::path& file) {
    const auto mapped = ndkeep::map<float, 2>(file, ndkeep::column_major);
#ifdef CONTROL
    return ndkeep::as_eigen<Eigen::MatrixXf>(mapped).sum();
#else
    return ndkeep::as_eigen<Eigen::MatrixXd>(mapped).sum();
#endif
}
