// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/operators.hpp>

#include <cstdint>
#include <vector>

namespace side_by_side_tests {

namespace nk = ndkeep;

struct point {
    std::int16_t x;
    double y;
};
NDKEEP_FIELDS(point, x, y);

TEST_CASE("side_by_side has the fields of all parts with their prefixes", "[operators][side_by_side]") {
    const xt::xtensor<point, 1> points = {{1, 1.5}, {2, 2.5}};
    const xt::xtensor<point, 2> windows = {{{3, 3.5}, {4, 4.5}, {5, 5.5}}, {{6, 6.5}, {7, 7.5}, {8, 8.5}}};

    const nk::any_array table =
        nk::side_by_side({{"", points}, {"last_", windows}, {"n", std::vector<std::int32_t>{8, 9}}});

    CHECK(table.shape() == std::vector<std::size_t>{2});
    CHECK(table.type().descr() ==
          "[('x', '<i2'), ('y', '<f8'), ('last_x', '<i2', (3,)), ('last_y', '<f8', (3,)), ('n', '<i4')]");
    CHECK((table.field("y").as<double, 1>() == xt::xtensor<double, 1>{1.5, 2.5}));
    CHECK((table.field("last_x").as<std::int16_t, 2>() == xt::xtensor<std::int16_t, 2>{{3, 4, 5}, {6, 7, 8}}));
    CHECK((table.field("last_y").as<double, 2>() == xt::xtensor<double, 2>{{3.5, 4.5, 5.5}, {6.5, 7.5, 8.5}}));
    CHECK((table.field("n").as<std::int32_t, 1>() == xt::xtensor<std::int32_t, 1>{8, 9}));
    CHECK(nk::side_by_side({}).size() == 0);
    CHECK(nk::side_by_side({{"a", std::vector<double>{}}}).type().descr() == "[('a', '<f8')]");
}

TEST_CASE("side_by_side takes views, lazy columns and column-major windows", "[operators][side_by_side]") {
    const xt::xtensor<point, 1> points = {{1, 1.5}, {2, 2.5}, {3, 3.5}};
    const xt::xtensor<double, 2, xt::layout_type::column_major> columns = {{1, 2}, {3, 4}};

    const auto table = nk::side_by_side({{"p_", xt::view(points, xt::range(2, 0, -1))},
                                         {"twice", nk::field(xt::view(points, xt::range(0, 2)), &point::y) * 2},
                                         {"w", columns}});

    CHECK((table.field("p_x").as<std::int16_t, 1>() == xt::xtensor<std::int16_t, 1>{3, 2}));
    CHECK((table.field("twice").as<double, 1>() == xt::xtensor<double, 1>{3, 5}));
    CHECK((table.field("w").as<double, 2>() == columns));
}

TEST_CASE("side_by_side refuses equal names and other numbers of rows", "[operators][side_by_side][error]") {
    const xt::xtensor<point, 1> points = {{1, 1.5}, {2, 2.5}};
    const auto refused = [](const std::vector<nk::side_part>& parts) {
        return thrown<nk::mismatch_error>([&] { (void)nk::side_by_side(parts); });
    };

    CHECK(refused({{"", points}, {"", points}}).found() == "'x' again");
    CHECK(refused({{"", points}, {"x", std::vector<int>{1, 2}}}).field() == "part 'x'");
    CHECK(refused({{"", std::vector<int>{1}}}).found() == "no name");
    CHECK(refused({{"", points}, {"n", std::vector<int>{1}}}).expected() == "2 rows");
    CHECK(refused({{"n", 1.5}}).found() == "shape ()");
}

TEST_CASE("as_of_groups combines rows of several right sides", "[operators][as_of_groups]") {
    const std::vector<std::int64_t> left{1, 1}, first{1}, second{1}, unused{7};
    const xt::xtensor<int, 2> pairs = {{0, 1}, {1, 0}};
    const xt::xtensor<double, 1> tens = {10}, hundreds = {100}, others = {1};

    const auto at = nk::as_of_groups(left, {first, second, unused}, pairs);

    const xt::xtensor<double, 2> taken = at.take({tens, hundreds, others}, 0.0);
    CHECK((taken == xt::xtensor<double, 2>{{10, 100}, {100, 10}}));
    CHECK(at.found(1, 1));
    CHECK(at.row(0, 1) == std::optional<std::size_t>(0));
    CHECK((nk::as_of_groups(left, {first, unused}, pairs).rows() == xt::xtensor<std::int64_t, 2>{{0, -1}, {-1, 0}}));
    CHECK(nk::as_of_groups(left, {first}, xt::xtensor<int, 2>(xt::zeros<int>({2, 0}))).rows().shape()[1] == 0);

    const auto refused = [&](const nk::array_view& table) {
        return thrown<nk::mismatch_error>([&] { (void)nk::as_of_groups(left, {first, second}, table); });
    };
    CHECK(refused(xt::xtensor<int, 2>{{0, -1}, {0, 0}}).found() == "-1");
    CHECK(refused(xt::xtensor<std::uint8_t, 2>{{0, 0}, {0, 2}}).field() == "combination of left row 1");
    CHECK(refused(xt::xtensor<int, 2>{{0, 1}}).found() == "(1, 2)");
    CHECK(refused(xt::xtensor<double, 2>{{0, 1}, {0, 1}}).expected() == "integers");
    CHECK(thrown<nk::mismatch_error>([&] { (void)at.take({tens, hundreds}, 0.0); }).found() == "2 columns");
}

}  // namespace side_by_side_tests
