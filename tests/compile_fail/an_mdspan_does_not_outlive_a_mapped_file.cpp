// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): use of deleted function .*as_mdspan
// expect(clang): call to deleted function 'as_mdspan'
#include <ndkeep/bridges/mdspan.hpp>
#include <ndkeep/npy/map.hpp>

double first(const std::filesystem::path& file) {
#ifdef CONTROL
    const auto mapped = ndkeep::map<double, 2>(file);
    return ndkeep::as_mdspan(mapped).data_handle()[0];
#else
    return ndkeep::as_mdspan(ndkeep::map<double, 2>(file)).data_handle()[0];
#endif
}
