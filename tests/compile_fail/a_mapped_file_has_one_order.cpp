// SPDX-License-Identifier: BSD-3-Clause
// expect: one of row_major, column_major
#include <ndkeep/npy/map.hpp>

void look(const std::filesystem::path& file) {
#ifdef CONTROL
    (void)ndkeep::map<double>(file, ndkeep::column_major);
#else
    (void)ndkeep::map<double>(file, ndkeep::column_major, ndkeep::row_major);
#endif
}
