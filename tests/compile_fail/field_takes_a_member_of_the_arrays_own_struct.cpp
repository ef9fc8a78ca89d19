// SPDX-License-Identifier: BSD-3-Clause
// expect: no matching function for call to .field
// expect: is_base_of_v
#include <ndkeep/array/field.hpp>
#include <ndkeep/element/fields.hpp>

struct trade {
    double price;
};
NDKEEP_FIELDS(trade, price);
struct quote {
    double price;
};

double first(const xt::xtensor<trade, 1>& trades) {
#ifdef CONTROL
    return ndkeep::field(trades, &trade::price)(0);
#else
    return ndkeep::field(trades, &quote::price)(0);
#endif
}
