// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/text/hex.hpp>

#include "support/catch.hpp"

#include <string>

namespace hex_tests {

using namespace ndkeep;

TEST_CASE("hexadecimal text has sixteen lower-case digits", "[text]") {
    CHECK(core::hexadecimal(0) == "0000000000000000");
    CHECK(core::hexadecimal(0x0123'4567'89ab'cdef) == "0123456789abcdef");
    CHECK(core::hexadecimal(~std::uint64_t{0}) == "ffffffffffffffff");
}

TEST_CASE("a hexadecimal digit of either case has its value, other characters are above every base", "[text]") {
    CHECK(detail::digit_value('0') == 0);
    CHECK(detail::digit_value('9') == 9);
    CHECK(detail::digit_value('a') == 10);
    CHECK(detail::digit_value('F') == 15);
    for (const char c : {'/', ':', '@', 'G', '`', 'g', '\0', '\xff'})
        CHECK(detail::digit_value(c) > 16);
}

TEST_CASE("only lower-case digits are hexadecimal in names on disk", "[text]") {
    CHECK(detail::are_hex_digits("0123456789abcdef"));
    CHECK_FALSE(detail::are_hex_digits("0A"));
    CHECK_FALSE(detail::are_hex_digits("0g"));
    CHECK(detail::are_digits("0189"));
    CHECK_FALSE(detail::are_digits("01a"));
}

}  // namespace hex_tests
