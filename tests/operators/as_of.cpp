// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/operators.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace as_of_tests {

namespace nk = ndkeep;
using namespace std::chrono_literals;
using ints = std::vector<std::int64_t>;
template <class Duration>
using times = std::vector<std::chrono::sys_time<Duration>>;

struct trade {
    std::chrono::sys_time<std::chrono::nanoseconds> time;
    double price;
    nk::fixed_string<4> symbol;
};
NDKEEP_FIELDS(trade, time, price, symbol);

struct quote {
    std::chrono::sys_time<std::chrono::microseconds> time;
    nk::fixed_string<8> symbol;
    double bid;
};
NDKEEP_FIELDS(quote, time, symbol, bid);

struct keyed {
    std::int64_t key;
    std::int32_t group;
};
NDKEEP_FIELDS(keyed, key, group);

using keyed_rows = xt::xtensor<keyed, 1>;

constexpr std::int64_t none = -1;

/// The keys that were found, of which -1 is none.
[[nodiscard]] ints found_keys(const ints& left, const ints& right, const nk::as_of_options& options) {
    ints keys;
    const auto at = nk::as_of(left, right, options);
    for (std::size_t i = 0; i < at.size(); ++i)
        keys.push_back(at.found(i) ? right[*at.row(i)] : none);
    return keys;
}

[[nodiscard]] ints rows_of(const nk::as_of_rows<1>& at) { return {at.rows().begin(), at.rows().end()}; }

[[nodiscard]] nk::mismatch_error refused(const nk::array_view& left, const nk::array_view& right,
                                         const nk::as_of_options& options = {}) {
    return thrown<nk::mismatch_error>([&] { (void)nk::as_of(left, right, options); });
}

TEST_CASE("as_of finds the last right row, with equal keys or without", "[operators][as_of]") {
    CHECK(rows_of(nk::as_of(ints{1, 2, 3, 5}, ints{2, 3})) == ints{none, 0, 1, 1});
    CHECK(rows_of(nk::as_of(ints{1, 2, 3, 5}, ints{2, 3}, {.exact = false})) == ints{none, none, 0, 1});
    CHECK(rows_of(nk::as_of(ints{3}, ints{2, 2, 3, 3})) == ints{3});
    CHECK(rows_of(nk::as_of(ints{3}, ints{2, 2, 3, 3}, {.exact = false})) == ints{1});
}

TEST_CASE("as_of has the directions, tolerances and ties of pandas", "[operators][as_of]") {
    const ints left{1, 5, 10}, right{1, 2, 3, 6, 7};

    CHECK(found_keys(left, right, {}) == ints{1, 3, 7});
    CHECK(found_keys(left, right, {.exact = false}) == ints{none, 3, 7});
    CHECK(found_keys(left, right, {.direction = nk::forward}) == ints{1, 6, none});
    CHECK(found_keys(left, right, {.direction = nk::forward, .exact = false}) == ints{2, 6, none});
    CHECK(found_keys(left, right, {.direction = nk::nearest}) == ints{1, 6, 7});
    CHECK(found_keys(left, right, {.direction = nk::nearest, .exact = false}) == ints{2, 6, 7});
    CHECK(found_keys(left, right, {.tolerance = 2}) == ints{1, 3, none});
    CHECK(found_keys(left, right, {.direction = nk::nearest, .tolerance = 1}) == ints{1, 6, none});
    CHECK(found_keys({5}, {3, 7}, {.direction = nk::nearest}) == ints{3});
    CHECK(found_keys({5, 6}, {3}, {.tolerance = 2}) == ints{3, none});
    CHECK(found_keys({2, 3}, {2, 2}, {.tolerance = 0}) == ints{2, none});
    CHECK(rows_of(nk::as_of(ints{2}, ints{2, 2})) == ints{1});
    CHECK(rows_of(nk::as_of(ints{2}, ints{2, 2}, {.direction = nk::forward})) == ints{0});
}

TEST_CASE("as_of by a key finds rows of the same group", "[operators][as_of]") {
    const keyed_rows left = {{1, 'x'}, {2, 'y'}, {3, 'x'}, {4, 'y'}};
    const keyed_rows right = {{1, 'y'}, {1, 'x'}, {2, 'x'}, {3, 'y'}};
    const xt::xtensor<double, 1> values = {10, 20, 30, 40};

    const auto at = nk::as_of(left, right, {.on = "key", .by = {"group"}});

    const xt::xtensor<double, 1> taken = at.take(values, 0.0);
    CHECK((taken == xt::xtensor<double, 1>{20, 10, 30, 40}));
    CHECK(rows_of(nk::as_of(left, right, {.on = "key", .by = {"group"}, .direction = nk::forward})) ==
          ints{1, 3, none, none});
}

TEST_CASE("as_of by a key needs order in each group only", "[operators][as_of]") {
    const keyed_rows left = {{5, 'y'}, {1, 'x'}, {4, 'z'}, {3, 'x'}, {6, 'y'}};
    const keyed_rows right = {{7, 'x'}, {1, 'y'}, {9, 'x'}, {5, 'y'}, {6, 'y'}};
    const auto find = [&](const nk::as_of_direction direction, bool exact) {
        return rows_of(nk::as_of(left, right, {.on = "key", .by = {"group"}, .direction = direction, .exact = exact}));
    };

    CHECK(find(nk::backward, true) == ints{3, none, none, none, 4});
    CHECK(find(nk::backward, false) == ints{1, none, none, none, 3});
    CHECK(find(nk::forward, true) == ints{3, 0, none, 0, 4});
    CHECK(find(nk::nearest, false) == ints{4, 0, none, 0, 3});
}

TEST_CASE("as_of of structs compares the bytes of fields, and text without trailing zeros", "[operators][as_of]") {
    using time = std::chrono::sys_time<std::chrono::nanoseconds>;
    using coarse = std::chrono::sys_time<std::chrono::microseconds>;
    xt::xtensor<trade, 1> trades = {{time(1500ns), 1, {"a"}}, {time(2500ns), 2, {"b"}}, {time(3us), 3, {"a"}}};
    const xt::xtensor<quote, 1> quotes = {{coarse(1us), {"a"}, 7}, {coarse(2us), {"b"}, 0}, {coarse(3us), {"a"}, 9}};

    const auto at = nk::as_of(trades, quotes, {.by = {"symbol"}});

    CHECK(rows_of(at) == ints{0, 1, 2});
    CHECK(rows_of(nk::as_of(trades, quotes, {.by = {"symbol"}, .tolerance = 499ns})) == ints{none, none, 2});
    CHECK(rows_of(nk::as_of(nk::field(trades, &trade::time), nk::field(quotes, &quote::time))) == ints{0, 1, 2});
    trades(1).symbol = {"c"};
    CHECK(rows_of(nk::as_of(trades, quotes, {.by = {"symbol"}})) == ints{0, none, 2});
}

TEST_CASE("the rows, mask and values that as_of found", "[operators][as_of]") {
    const xt::xtensor<double, 1> bids = {0, 5};

    const auto at = nk::as_of(ints{1, 2, 7}, ints{2, 6});

    CHECK(at.size() == 3);
    CHECK(at.row(0) == std::nullopt);
    CHECK(at.row(2) == std::optional<std::size_t>(1));
    CHECK_FALSE(at.found(0));
    CHECK((at.mask() == xt::xtensor<bool, 1>{false, true, true}));
    // A value of 0 is found, and the fill value is not.
    const xt::xtensor<double, 1> taken = at.take(bids, -1.0) * 2;
    CHECK((taken == xt::xtensor<double, 1>{-2, 0, 10}));
    const xt::xtensor<double, 1> kept = nk::as_of(ints{3}, ints{2, 6}).take(xt::xtensor<double, 1>{3, 4}, 0.0);
    CHECK((kept == xt::xtensor<double, 1>{3}));
    CHECK(thrown<nk::mismatch_error>([&] {
              (void)at.take(xt::xtensor<double, 1>{1, 2, 3}, 0.0);
          }).expected() == "(2,)");
}

TEST_CASE("windows of as_of are the last rows of the same group, the oldest first", "[operators][as_of]") {
    const xt::xtensor<std::int64_t, 1> values = {20, 30, 40};
    const keyed_rows left = {{9, 'x'}, {9, 'y'}}, right = {{1, 'x'}, {2, 'y'}, {3, 'x'}, {4, 'x'}, {5, 'y'}};

    const auto at = nk::as_of(ints{1, 4}, ints{2, 3, 4}).window(3);
    const auto by = nk::as_of(left, right, {.on = "key", .by = {"group"}}).window(2);

    const xt::xtensor<std::int64_t, 2> taken = at.take(values, 0);
    CHECK((taken == xt::xtensor<std::int64_t, 2>{{0, 0, 0}, {20, 30, 40}}));
    CHECK_FALSE(at.found(0, 2));
    CHECK(at.row(1, 0) == std::optional<std::size_t>(0));
    CHECK((by.rows() == xt::xtensor<std::int64_t, 2>{{2, 3}, {1, 4}}));
}

TEST_CASE("as_of of several right sides gives a result for each", "[operators][as_of]") {
    const auto all = nk::as_of_each(ints{2, 4}, {ints{1}, ints{3, 4}});

    REQUIRE(all.size() == 2);
    CHECK(rows_of(all[0]) == ints{0, 0});
    CHECK(rows_of(all[1]) == ints{none, 1});
}

TEST_CASE("as_of takes keys of any numeric dtype, lazy and strided ones too", "[operators][as_of]") {
    const ints expected{none, 0, 1};
    const auto find = [](const nk::array_view& left, const nk::array_view& right) {
        return rows_of(nk::as_of(left, right));
    };

    CHECK(find(std::vector<std::int8_t>{1, 2, 5}, std::vector<std::uint32_t>{2, 3}) == expected);
    CHECK(find(std::vector<std::uint64_t>{1, 2, ~0ULL}, std::vector<std::uint64_t>{2, ~0ULL - 1}) == expected);
    CHECK(find(std::vector<std::uint16_t>{1, 2, 5}, std::vector<std::uint64_t>{2, 3}) == expected);
    CHECK(find(std::vector<float>{1, 2, 5}, std::vector<double>{2, 3}) == expected);
    CHECK(find(std::vector<nk::float16>{nk::float16(-1.0F), nk::float16(0.0F), nk::float16(5.0F)},
               std::vector<float>{-0.0F, 3}) == expected);
    CHECK(find(std::vector<nk::bfloat16>{nk::bfloat16(1.0F), nk::bfloat16(2.0F), nk::bfloat16(5.0F)},
               std::vector<long double>{2, 3}) == expected);
    CHECK(find(std::vector<bool>{false, true}, std::vector<bool>{true}) == ints{none, 0});
    const xt::xtensor<std::int64_t, 1> left = {1, 2, 5}, right = {4, 0, 6, 0};
    CHECK(find(left + 0, xt::view(right, xt::range(0, 4, 2)) / 2) == expected);
    CHECK(find(left, xt::view(right, xt::range(0, 4, 2))) == ints{none, none, 0});
    CHECK(find(ints{}, ints{1, 2}).empty());
    CHECK(find(ints{1, 2}, ints{}) == ints{none, none});
    nk::any_array swapped(xt::xtensor<std::int32_t, 1>(xt::zeros<std::int32_t>({3})));
    swapped = nk::any_array(nk::array_view(nk::dtype::parse(">i4"), {3}, swapped.bytes().data()));
    for (std::size_t i = 0; i < 3; ++i)
        swapped.bytes()[4 * i + 3] = static_cast<std::byte>(std::vector{1, 2, 5}[i]);
    CHECK(find(swapped, ints{2, 3}) == expected);
}

TEST_CASE("as_of compares times of two units exactly", "[operators][as_of]") {
    using hours = std::chrono::sys_time<std::chrono::duration<std::int64_t, std::ratio<3600>>>;
    using days = std::chrono::sys_time<std::chrono::duration<std::int64_t, std::ratio<86400>>>;
    using hour_count = std::chrono::duration<std::int64_t, std::ratio<3600>>;
    using day_count = std::chrono::duration<std::int64_t, std::ratio<86400>>;
    const std::vector<hours> left = {hours(hour_count(-25)), hours(hour_count(0)), hours(hour_count(47))};
    const std::vector<days> right = {days(day_count(-1)), days(day_count(0)), days(day_count(2))};

    CHECK(rows_of(nk::as_of(left, right)) == ints{none, 1, 1});
    CHECK(rows_of(nk::as_of(left, right, {.direction = nk::forward, .tolerance = 60min})) == ints{0, 1, 2});
    CHECK(rows_of(nk::as_of(left, right, {.direction = nk::forward, .tolerance = 59min})) == ints{none, 1, none});
    const nk::any_array months(nk::dtype::parse("M8[M]"), {0}), weeks(nk::dtype::parse("M8[W]"), {0}),
        dates(nk::dtype::parse("M8[D]"), {0}), spans(nk::dtype::parse("m8[D]"), {0});
    CHECK(nk::as_of(months, dates).size() == 0);
    CHECK(refused(months, weeks).expected() == "'<M8[M]'");
    CHECK(refused(dates, spans).found() == "'<m8[D]'");
    CHECK(refused(std::vector<std::chrono::sys_time<std::chrono::nanoseconds>>(1),
                  times<std::chrono::duration<std::int64_t, std::ratio<86400>>>{
                      std::chrono::sys_time<day_count>(day_count(1'000'000))})
              .field() == "right row 0");
}

TEST_CASE("as_of compares the extreme integers without overflow", "[operators][as_of]") {
    constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    const ints ends{least, most};

    CHECK(rows_of(nk::as_of(ints{least, 0, most}, ends)) == ints{0, 0, 1});
    CHECK(rows_of(nk::as_of(ints{0}, ends, {.direction = nk::nearest})) == ints{1});
    CHECK(rows_of(nk::as_of(ints{-1}, ends, {.direction = nk::nearest})) == ints{0});
    CHECK(rows_of(nk::as_of(ints{most}, ints{least}, {.tolerance = most})) == ints{none});
    CHECK(rows_of(nk::as_of(ints{most}, ints{least}, {.tolerance = ~std::uint64_t{0}})) == ints{0});
    CHECK(rows_of(nk::as_of(ints{most}, ints{least}, {.tolerance = 1e300})) == ints{0});
    CHECK(rows_of(nk::as_of(std::vector<std::uint64_t>{~0ULL}, std::vector<std::uint64_t>{0},
                            {.tolerance = ~0ULL - 1})) == ints{none});
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(rows_of(nk::as_of(std::vector<double>{-infinity, 0, infinity}, std::vector<double>{-infinity, infinity},
                            {.tolerance = 1})) == ints{0, none, 1});
    CHECK(rows_of(nk::as_of(ints{10}, ints{8}, {.tolerance = 2.9})) == ints{0});
    CHECK(rows_of(nk::as_of(ints{10}, ints{8}, {.tolerance = 1.9})) == ints{none});
}

TEST_CASE("as_of refuses keys that are not in order, NaN or NaT, and names the row", "[operators][as_of][error]") {
    const auto left = refused(ints{1, 3, 2}, ints{1});
    CHECK(left.field() == "left row 2");
    CHECK(left.expected() == "at least 3, the key of row 1");
    CHECK(left.found() == "key 2");

    // Also behind the last left key.
    CHECK(refused(ints{1}, ints{1, 5, 6, 4}).field() == "right row 3");
    CHECK(refused(std::vector<std::uint64_t>{~0ULL, 7}, std::vector<std::uint64_t>{1}).found() == "key 7");
    CHECK(refused(std::vector<double>{1}, std::vector<double>{0.5, 0.25}).expected() ==
          "at least 0.5, the key of row 0");

    const double nan = std::numeric_limits<double>::quiet_NaN();
    CHECK(refused(std::vector<double>{1, nan, 2}, std::vector<double>{1}).found() == "NaN");
    CHECK(refused(std::vector<double>{1}, std::vector<double>{nan}).field() == "right row 0");
    CHECK(refused(std::vector<double>{1}, std::vector<double>{2, 3, -nan}).field() == "right row 2");
    const auto nat = nk::not_a_time<std::chrono::seconds>;
    CHECK(refused(std::vector{nat, 1s}, std::vector{1s}).found() == "NaT");
    CHECK(refused(std::vector{1s}, std::vector{1s, nat}).field() == "right row 1");

    const keyed_rows good = {{1, 'x'}, {2, 'y'}}, bad = {{5, 'x'}, {9, 'y'}, {4, 'x'}};
    const auto in_group = refused(good, bad, {.on = "key", .by = {"group"}});
    CHECK(in_group.field() == "right row 2");
    CHECK(in_group.expected() == "at least 5, the key of row 0");
    CHECK(refused(bad, good, {.on = "key", .by = {"group"}}).field() == "left row 2");
}

TEST_CASE("as_of refuses keys, fields and tolerances that do not fit", "[operators][as_of][error]") {
    const xt::xtensor<trade, 1> trades = xt::xtensor<trade, 1>::from_shape({0});
    const xt::xtensor<quote, 1> quotes = xt::xtensor<quote, 1>::from_shape({0});

    CHECK(refused(ints{1}, std::vector<double>{1}).found() == "'<f8'");
    CHECK(refused(ints{1}, std::vector<std::uint64_t>{1}).found() == "'<u8'");
    CHECK(refused(ints{1}, std::vector<std::complex<double>>{1}).field() == "right keys");
    CHECK(refused(xt::xtensor<double, 2>(xt::zeros<double>({2, 2})), std::vector<double>{1}).field() == "left shape");
    CHECK(refused(trades, quotes, {.on = "price"}).field() == "right field 'price'");
    CHECK(refused(trades, quotes, {.by = {"bid"}}).field() == "left field 'bid'");
    CHECK(refused(ints{}, ints{}, {.by = {"bid"}}).found() == "'<i8'");
    CHECK(refused(ints{}, ints{}, {.on = "bid"}).found() == "'<i8'");
    CHECK(refused(ints{}, ints{}, {.tolerance = -1}).found() == "-1");
    CHECK(refused(ints{}, ints{}, {.tolerance = -0.5}).found() == "-0.5");
    CHECK(refused(ints{}, ints{}, {.tolerance = std::numeric_limits<double>::quiet_NaN()}).found() == "NaN");
    CHECK(refused(ints{}, ints{}, {.tolerance = 5s}).found() == "a duration");
    CHECK(refused(trades, quotes, {.tolerance = 5}).found() == "a number");
    CHECK(refused(trades, quotes, {.tolerance = -5s}).field() == "tolerance");
}

}  // namespace as_of_tests
