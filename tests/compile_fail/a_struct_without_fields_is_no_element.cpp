// SPDX-License-Identifier: BSD-3-Clause
// expect: has_dtype
#include <ndkeep/element/fields.hpp>
#include <ndkeep/npy/load.hpp>

struct trade {
    double price;
};
#ifdef CONTROL
NDKEEP_FIELDS(trade, price);
#endif

void look(const std::filesystem::path& file) { (void)ndkeep::load<trade>(file); }
