// SPDX-License-Identifier: BSD-3-Clause
// expect: lvalue required as left operand|expression is not assignable
#include <ndkeep/bridges/eigen.hpp>
#include <ndkeep/npy/map.hpp>

void reset(const std::filesystem::path& file) {
#ifdef CONTROL
    auto mapped = ndkeep::map<double, 2>(file, ndkeep::read_write);
#else
    auto mapped = ndkeep::map<double, 2>(file);
#endif
    ndkeep::as_eigen(mapped)(0, 0) = 0;
}
