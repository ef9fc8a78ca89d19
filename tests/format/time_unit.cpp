// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/format/time_unit.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace format_time_unit_tests {

namespace nk = ndkeep;

TEST_CASE("a unit is found by NumPy's name", "[format][time]") {
    const auto* const found = nk::core::find_unit("us");

    REQUIRE(found != nullptr);
    CHECK(found->plural == "microseconds");
    CHECK(found->seconds == 1);
    CHECK(found->per_second == 1'000'000);
    CHECK(nk::core::find_unit("month") == nullptr);
    CHECK(nk::core::find_unit("") == nullptr);
}

TEST_CASE("every unit but months and the finest has an exact number of the next finer one", "[format][time]") {
    std::string steps;
    for (const auto& unit : nk::core::time_units)
        steps += std::string(unit.name) + std::to_string(nk::core::exact_parts(unit)) + ' ';

    CHECK(steps == "Y12 M0 W7 D24 h60 m60 s1000 ms1000 us1000 ns1000 ps1000 fs1000 as0 ");
}

TEST_CASE("finer units below a week are as long as the table of seconds says", "[format][time]") {
    for (const auto& unit : nk::core::time_units) {
        if (unit.name == "Y" || unit.name == "M")
            continue;
        for (std::size_t i = 0; i < unit.parts.size() && unit.parts[i] != 0; ++i) {
            CAPTURE(unit.name, unit.finer[i]);
            const auto* const finer = nk::core::find_unit(unit.finer[i]);
            REQUIRE(finer != nullptr);
            CHECK(unit.seconds * (finer->per_second / unit.per_second) == unit.parts[i] * finer->seconds);
        }
    }
}

}  // namespace format_time_unit_tests
