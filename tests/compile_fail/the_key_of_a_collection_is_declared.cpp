// SPDX-License-Identifier: BSD-3-Clause
// expect: collection_key
#include <ndkeep/chunks/collection.hpp>

struct instrument {
    std::string symbol;
};
#ifdef CONTROL
NDKEEP_KEY(instrument, symbol);
#endif

ndkeep::collection<instrument> prices("prices");
