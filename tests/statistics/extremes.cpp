// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/statistics/extremes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace statistics_extremes_tests {

namespace nk = ndkeep;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("numbers have a least and a greatest, and NaN is neither", "[statistics][extremes]") {
    nk::detail::extremes<double> range;
    for (const double number : {not_a_number, 3.0, -2.0, not_a_number, 1.0})
        range.add(number);

    CHECK(!range.is_empty());
    CHECK(range.least() == -2);
    CHECK(range.greatest() == 3);
}

TEST_CASE("there are no extremes of nothing or of NaN alone", "[statistics][extremes]") {
    nk::detail::extremes<double> range;
    CHECK(range.is_empty());
    range.add(not_a_number);
    CHECK(range.is_empty());
}

TEST_CASE("the last number of a type is an extreme like any other", "[statistics][extremes]") {
    nk::detail::extremes<double> real;
    real.add(infinity);
    CHECK(!real.is_empty());
    CHECK(real.least() == infinity);

    nk::detail::extremes<std::int64_t> whole;
    whole.add(std::numeric_limits<std::int64_t>::min());
    CHECK(!whole.is_empty());
    CHECK(whole.greatest() == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("complete groups of unaligned numbers are added", "[statistics][extremes]") {
    const std::array<std::int16_t, 11> numbers = {5, 4, 3, 2, 1, 6, 7, 8, -100, 100, 0};
    std::vector<std::byte> bytes(1 + sizeof numbers);
    std::memcpy(bytes.data() + 1, numbers.data(), sizeof numbers);
    nk::detail::extremes<std::int16_t, 8> range;

    const std::size_t added = range.add_groups(bytes.data() + 1, numbers.size());

    CHECK(added == 8);
    CHECK(range.least() == 1);
    CHECK(range.greatest() == 8);
}

}  // namespace statistics_extremes_tests
