// SPDX-License-Identifier: BSD-3-Clause
// expect: one of read_only, read_write, copy_on_write
#include <ndkeep/npy/map.hpp>

void look(const std::filesystem::path& file) {
#ifdef CONTROL
    (void)ndkeep::map<double>(file, ndkeep::read_write, ndkeep::row_major);
#else
    (void)ndkeep::map<double>(file, ndkeep::read_write, ndkeep::copy_on_write);
#endif
}
