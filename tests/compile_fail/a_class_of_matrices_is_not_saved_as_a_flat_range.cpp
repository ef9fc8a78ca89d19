// SPDX-License-Identifier: BSD-3-Clause
// expect: matrices_need_an_array_adapter_as_in_ndkeep_bridges_eigen_hpp
#include <ndkeep/npy/save.hpp>

#include <vector>

struct columns_first {
    const double* data() const { return elements.data(); }
    std::size_t size() const { return elements.size(); }
    std::size_t rows() const { return 1; }
    std::size_t cols() const { return size(); }
    std::vector<double> elements;
};

void keep(const std::filesystem::path& file, const columns_first& matrix) {
#ifdef CONTROL
    ndkeep::save(file, matrix.elements);
#else
    ndkeep::save(file, matrix);
#endif
}
