// SPDX-License-Identifier: BSD-3-Clause
// The answers of pandas.merge_asof, which tests/data/as_of/make_as_of.py wrote.
#include "support/catch.hpp"

#include <ndkeep/npy.hpp>
#include <ndkeep/operators.hpp>

#include <filesystem>

namespace as_of_golden_tests {

namespace nk = ndkeep;
using microseconds = std::chrono::microseconds;

struct row {
    std::chrono::sys_time<microseconds> time;
    std::int64_t count;
    double real;
    nk::fixed_string<3> symbol;
    std::int64_t row;
};
NDKEEP_FIELDS(row, time, count, real, symbol, row);

struct options_of_case {
    nk::fixed_string<5> on;
    nk::fixed_string<8> direction;
    bool exact;
    std::int64_t tolerance;
    bool by;
};
NDKEEP_FIELDS(options_of_case, on, direction, exact, tolerance, by);

TEST_CASE("as_of answers as pandas for every combination of options", "[operators][as_of][golden]") {
    const std::filesystem::path folder = std::filesystem::path(NDKEEP_TEST_DATA) / "as_of";
    const auto left = nk::load<row, 1>(folder / "left.npy"), right = nk::load<row, 1>(folder / "right.npy");
    const auto cases = nk::load<options_of_case, 1>(folder / "cases.npy");
    const auto answers = nk::load<std::int16_t, 2>(folder / "rows.npy");
    REQUIRE(cases.size() == 144);

    for (std::size_t i = 0; i < cases.size(); ++i) {
        const options_of_case& each = cases(i);
        CAPTURE(each.on.view(), each.direction.view(), each.exact, each.tolerance, each.by);
        nk::as_of_options options{.on = std::string(each.on.view()), .exact = each.exact};
        if (each.by)
            options.by = {"symbol"};
        options.direction = each.direction == "backward"  ? nk::backward
                            : each.direction == "forward" ? nk::forward
                                                          : nk::nearest;
        if (each.tolerance >= 0) {
            if (each.on == "time")
                options.tolerance = microseconds(each.tolerance);
            else if (each.on == "real")
                options.tolerance = static_cast<double>(each.tolerance) / 8;
            else
                options.tolerance = each.tolerance;
        }

        const auto at = nk::as_of(left, right, options);

        std::size_t different = 0;
        for (std::size_t j = 0; j < left.size(); ++j)
            different += at.rows()(j) != answers(i, j) ? 1 : 0;
        CHECK(different == 0);
    }
}

}  // namespace as_of_golden_tests
