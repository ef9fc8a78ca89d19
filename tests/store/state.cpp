// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/store/state.hpp>

namespace store_state_tests {

using ndkeep::dtype;
using ndkeep::detail::number_form;

TEST_CASE("the extremes of a chunk are kept as numbers of eight bytes, of the sort of its elements", "[store]") {
    CHECK(number_form(dtype::plain('b', 1)) == 'u');
    CHECK(number_form(dtype::plain('u', 8)) == 'u');
    CHECK(number_form(dtype::plain('i', 1)) == 'i');
    CHECK(number_form(dtype::time('M', "s")) == 'i');
    CHECK(number_form(dtype::time('m', "s")) == 'i');
    CHECK(number_form(dtype::plain('f', 2)) == 'f');
    CHECK(number_form(dtype::plain('f', 8)) == 'f');
}

TEST_CASE("a chunk keeps no extremes of elements without an order, or of more than eight bytes", "[store]") {
    for (const dtype& type : {dtype::plain('f', 16), dtype::plain('c', 8), dtype::plain('S', 4), dtype::plain('U', 4),
                              dtype::plain('V', 8), dtype::plain('E', 2), dtype()}) {
        CAPTURE(type.str());
        CHECK(number_form(type) == '\0');
    }
}

}  // namespace store_state_tests
