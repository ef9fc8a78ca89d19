// SPDX-License-Identifier: BSD-3-Clause
// expect: NDKEEP_FIELDS needs a trivially copyable struct of standard layout
#include <ndkeep/element/fields.hpp>

#include <string>

struct trade {
    double price;
#ifndef CONTROL
    std::string venue;
#endif
};
NDKEEP_FIELDS(trade, price);
