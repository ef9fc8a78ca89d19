// SPDX-License-Identifier: BSD-3-Clause
// as_of on random rows, beside a search of all right rows for each left row.
#include "support/catch.hpp"

#include "operators/as_of_model.hpp"

namespace as_of_model_tests {

using namespace as_of_model;

TEST_CASE("as_of finds what a search of all rows finds", "[operators][as_of]") {
    std::mt19937 random(20261129);
    for (int round = 0; round < 300; ++round) {
        const bool by = round % 2 == 0, in_order = round % 3 != 0 || !by;
        const auto left = random_rows<left_row>(random, random() % 40, in_order);
        const auto right = random_rows<right_row>(random, random() % 40, in_order);
        const rule asked = random_rule(random, by);
        CAPTURE(round, by, in_order, asked.exact, asked.tolerance, static_cast<int>(asked.direction));

        const auto at = nk::as_of(left, right, asked.options());
        const auto windows = at.window(3);

        const auto expected = searched(left, right, asked, 3);
        std::size_t different = 0;
        for (std::size_t i = 0; i < left.size(); ++i)
            for (std::size_t j = 0; j < 3; ++j) {
                different += windows.rows()(i, j) != expected[i][j] ? 1 : 0;
                different += at.rows()(i) != expected[i][2] ? 1 : 0;
            }
        CHECK(different == 0);
    }
}

}  // namespace as_of_model_tests
