// SPDX-License-Identifier: BSD-3-Clause
// expect: mdspans_with_default_accessor_need_ndkeep_bridges_mdspan_hpp
#include <ndkeep/bridges/mdspan.hpp>
#include <ndkeep/npy/save.hpp>

struct negated {
    using offset_policy = negated;
    using element_type = double;
    using reference = double;
    using data_handle_type = double*;
    double access(double* data, std::size_t i) const { return -data[i]; }
    double* offset(double* data, std::size_t i) const { return data + i; }
};

namespace md = ndkeep::detail::mdspan_library;
using extents = md::dextents<std::size_t, 2>;

#ifdef CONTROL
void keep(const std::filesystem::path& file, const md::mdspan<double, extents>& array) {
#else
void keep(const std::filesystem::path& file, const md::mdspan<double, extents, md::layout_right, negated>& array) {
#endif
    ndkeep::save(file, array);
}
