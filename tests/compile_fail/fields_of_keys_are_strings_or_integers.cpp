// SPDX-License-Identifier: BSD-3-Clause
// expect: a field named in NDKEEP_KEY is neither a string nor an integer
#include <ndkeep/chunks/collection.hpp>

struct instrument {
    std::string symbol;
    double strike;
};
#ifdef CONTROL
NDKEEP_KEY(instrument, symbol);
#else
NDKEEP_KEY(instrument, symbol, strike);
#endif
