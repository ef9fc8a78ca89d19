// SPDX-License-Identifier: BSD-3-Clause
// expect: structs_with_NDKEEP_FIELDS
#include <ndkeep/element/fields.hpp>
#include <ndkeep/npy/save.hpp>

#include <vector>

struct trade {
    double price;
};
#ifdef CONTROL
NDKEEP_FIELDS(trade, price);
#endif

void keep(const std::filesystem::path& file) { ndkeep::save(file, std::vector<trade>(3)); }
