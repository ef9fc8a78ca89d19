// SPDX-License-Identifier: BSD-3-Clause
// expect: a field named in NDKEEP_FIELDS is no array element
#include <ndkeep/element/fields.hpp>

struct trade {
    double price;
    const char* venue;
};
#ifdef CONTROL
NDKEEP_FIELDS(trade, price);
#else
NDKEEP_FIELDS(trade, price, venue);
#endif
