// SPDX-License-Identifier: BSD-3-Clause
// expect: matrices_need_an_array_adapter_as_in_ndkeep_bridges_eigen_hpp
#include <ndkeep/tree.hpp>

#include <array>

struct small_matrix {
    const double* data() const { return elements.data(); }
    std::size_t size() const { return 4; }
    std::size_t rows() const { return 2; }
    std::size_t cols() const { return 2; }
    std::array<double, 4> elements;
};

ndkeep::tree keep(const small_matrix& matrix) {
#ifdef CONTROL
    return {{"matrix", matrix.elements}};
#else
    return {{"matrix", matrix}};
#endif
}
