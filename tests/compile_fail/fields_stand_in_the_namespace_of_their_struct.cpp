// SPDX-License-Identifier: BSD-3-Clause
// expect: NDKEEP_FIELDS must stand in the namespace of the struct
#include <ndkeep/element/fields.hpp>

namespace market {
struct trade {
    double price;
};
#ifdef CONTROL
NDKEEP_FIELDS(trade, price);
#endif
}  // namespace market

#ifndef CONTROL
using market::trade;
NDKEEP_FIELDS(trade, price);
#endif
