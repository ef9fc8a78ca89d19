// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/tree/tree.hpp>

#include "support/catch.hpp"
#include "tree/trees.hpp"

#include <cmath>
#include <limits>
#include <sstream>
#include <vector>

namespace trees::text_tests {

TEST_CASE("a tree prints as JSON, with the dtype and shape of arrays", "[tree][text]") {
    const tree data = {{"region1", {{"values", xt::xarray<double>::from_shape({100, 50})}, {"created", "2023-01-20"}}},
                       {"list", {1, -2, 2.0, true, nullptr, std::numeric_limits<std::uint64_t>::max()}},
                       {"none", tree::list()},
                       {"empty", {}},
                       {"structs", std::vector<reading>(3)}};
    std::ostringstream out;

    out << data;

    CHECK(out.str() == R"({
  "region1": {
    "values": array '<f8' (100, 50),
    "created": "2023-01-20"
  },
  "list": [
    1,
    -2,
    2.0,
    true,
    null,
    18446744073709551615
  ],
  "none": [],
  "empty": {},
  "structs": array [('id', '<i2'), ('', '|V6'), ('value', '<f8')] (3,)
})");
    CHECK(data.str() == out.str());
}

TEST_CASE("numbers that are not finite print as Python's json has them", "[tree][text]") {
    constexpr auto infinity = std::numeric_limits<double>::infinity();

    CHECK(tree(std::nan("")).str() == "NaN");
    CHECK(tree(infinity).str() == "Infinity");
    CHECK(tree(-infinity).str() == "-Infinity");
}

TEST_CASE("text that is not UTF-8 and trees of any depth print too", "[tree][text]") {
    CHECK(tree("\xff"
               "a")
              .str() == "'\\xffa'");
    CHECK(tree("\"\n").str() == R"("\"\n")");
    CHECK(deep(2000).str().size() > 2 * 2000 * 2000);
}

}  // namespace trees::text_tests
