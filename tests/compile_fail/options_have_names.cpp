// SPDX-License-Identifier: BSD-3-Clause
// expect(gcc): reference of type .const ndkeep::.*save_options&. from expression of type .bool
// expect(clang): 'const ndkeep::.*save_options' could not bind to an rvalue of type 'bool'
#include <ndkeep/npy/save.hpp>

void keep(const std::filesystem::path& file, const xt::xarray<double>& values) {
#ifdef CONTROL
    ndkeep::save(file, values, {.sync = true});
#else
    ndkeep::save(file, values, true);
#endif
}
