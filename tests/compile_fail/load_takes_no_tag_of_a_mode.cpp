// SPDX-License-Identifier: BSD-3-Clause
// expect: order_tag
#include <ndkeep/npy/load.hpp>

void look(const std::filesystem::path& file) {
#ifdef CONTROL
    (void)ndkeep::load<double>(file, ndkeep::column_major);
#else
    (void)ndkeep::load<double>(file, ndkeep::read_write);
#endif
}
