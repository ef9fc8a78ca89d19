// SPDX-License-Identifier: BSD-3-Clause
// expect: array_like
#include <ndkeep/npy/save.hpp>

#include <span>

void keep(const std::filesystem::path& file, const double* values) {
#ifdef CONTROL
    ndkeep::save(file, std::span(values, 3));
#else
    ndkeep::save(file, values);
#endif
}
