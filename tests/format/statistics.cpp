// SPDX-License-Identifier: BSD-3-Clause
// Reading minimum and maximum of statistics as a type.
#include <ndkeep/format/statistics.hpp>

#include "support/temp_dir.hpp"

#include <ndkeep/error.hpp>

#include <cstdint>
#include <limits>

namespace format_statistics_tests {

using ndkeep::mismatch_error;
using ndkeep::statistics;

TEST_CASE("a minimum is read as a type that can hold it", "[format]") {
    statistics values;
    values.min = std::int64_t{-3};
    values.max = std::numeric_limits<std::uint64_t>::max();

    CHECK(values.min_as<int>() == -3);
    CHECK(values.min_as<double>() == -3.0);
    CHECK(values.max_as<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
    CHECK(values.max_as<double>() == 0x1p64);
    CHECK_THROWS_AS(values.min_as<unsigned>(), mismatch_error);
    CHECK_THROWS_AS(values.max_as<std::int64_t>(), mismatch_error);

    values.max = 2.0;
    CHECK(values.max_as<float>() == 2.0f);
    CHECK_THROWS_AS(values.max_as<int>(), mismatch_error);
}

TEST_CASE("an absent minimum is an error that says so", "[format][error]") {
    const auto e = thrown<mismatch_error>([] { (void)statistics().min_as<double>(); });
    CHECK(e.field() == "min");
    CHECK(e.found() == "absent");
}

}  // namespace format_statistics_tests
