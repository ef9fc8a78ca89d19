// SPDX-License-Identifier: BSD-3-Clause
// Casts of dates and durations between time units.
#include "support/catch.hpp"
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/text/json/print.hpp>

#include <limits>

namespace time_cast_tests {

namespace {

namespace nk = ndkeep;

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

/// The count in the other dtype; nullopt if it does not fit, or if there is no cast.
[[nodiscard]] std::optional<std::int64_t> cast(const char* from, const char* to, std::int64_t count) {
    const auto made = nk::core::time_cast::between(nk::dtype::parse(from), nk::dtype::parse(to));
    return made ? (*made)(count) : std::nullopt;
}

}  // namespace

TEST_CASE("times between two counts of the other unit are rounded down", "[element][time]") {
    for (const std::string kind : {"M8", "m8"}) {
        const auto in = [&](const char* unit) { return kind + '[' + unit + ']'; };
        CHECK(cast(in("ms").c_str(), in("s").c_str(), 1500) == 1);
        CHECK(cast(in("ms").c_str(), in("s").c_str(), -1500) == -2);
        CHECK(cast(in("ms").c_str(), in("s").c_str(), -2000) == -2);
        CHECK(cast(in("D").c_str(), in("2D").c_str(), -1) == -1);
        CHECK(cast(in("M").c_str(), in("Y").c_str(), -1) == -1);
        CHECK(cast(in("s").c_str(), in("ns").c_str(), -3) == -3'000'000'000);
        CHECK(cast(in("15m").c_str(), in("h").c_str(), 7) == 1);
    }
}

TEST_CASE("the first and the last day of a month belong to it, in any year", "[element][time]") {
    constexpr auto farthest = nk::core::wide_count(highest) * std::numeric_limits<std::int32_t>::max();
    bool are_in = true;
    for (const auto begin : {nk::core::wide_count(-30'000), farthest, -farthest})
        for (auto month = begin; month < begin + 60'000; ++month)
            are_in = are_in && nk::core::month_of_day(nk::core::days_before_month(month)) == month &&
                     nk::core::month_of_day(nk::core::days_before_month(month + 1) - 1) == month;

    CHECK(are_in);
    CHECK((nk::core::days_before_month(0) == 0));
    CHECK((nk::core::days_before_month(2) == 31 + 28));
}

TEST_CASE("dates follow the calendar between months and days", "[element][time]") {
    CHECK(cast("M8[Y]", "M8[D]", 30) == 10957);
    CHECK(cast("M8[M]", "M8[D]", 361) == 10957 + 31);
    CHECK(cast("M8[D]", "M8[M]", 10957 + 30) == 360);
    CHECK(cast("M8[D]", "M8[M]", -1) == -1);
    CHECK(cast("M8[D]", "M8[Y]", -719162) == -1969);
    CHECK(cast("M8[D]", "M8[Y]", -719163) == -1970);
    CHECK(cast("M8[ns]", "M8[Y]", -1) == -1);
    for (std::int64_t month = -30'000; month < 30'000; month += 7) {
        const auto day = cast("M8[M]", "M8[D]", month);
        REQUIRE(day);
        REQUIRE(cast("M8[D]", "M8[M]", *day) == month);
        REQUIRE(cast("M8[D]", "M8[M]", *day - 1) == month - 1);
    }
}

TEST_CASE("durations of years and months have average lengths in other units", "[element][time]") {
    CHECK(cast("m8[Y]", "m8[D]", 4) == 1460);
    CHECK(cast("m8[Y]", "m8[D]", -1) == -366);
    CHECK(cast("m8[s]", "m8[M]", 2629746) == 1);
    CHECK(nk::core::time_cast::between(nk::dtype::parse("m8[Y]"), nk::dtype::parse("m8[D]"))->uses_average_lengths());
    CHECK_FALSE(
        nk::core::time_cast::between(nk::dtype::parse("m8[Y]"), nk::dtype::parse("m8[M]"))->uses_average_lengths());
    CHECK_FALSE(
        nk::core::time_cast::between(nk::dtype::parse("M8[Y]"), nk::dtype::parse("M8[D]"))->uses_average_lengths());
}

TEST_CASE("NaT stays NaT, and a count beyond 64 bits is none", "[element][time]") {
    CHECK(cast("M8[s]", "M8[ns]", lowest) == lowest);
    CHECK(cast("M8[D]", "M8[Y]", lowest) == lowest);
    CHECK(cast("M8[s]", "M8[ns]", 9'223'372'036) == 9'223'372'036'000'000'000);
    CHECK(cast("M8[s]", "M8[ns]", 9'223'372'037) == std::nullopt);
    CHECK(cast("M8[s]", "M8[ns]", -9'223'372'037) == std::nullopt);
    CHECK(cast("m8[2147483647W]", "m8[2147483629as]", highest) == std::nullopt);
    CHECK(cast("M8[2147483647Y]", "M8[as]", highest) == std::nullopt);
    CHECK(cast("M8[2147483647Y]", "M8[as]", -highest) == std::nullopt);
    CHECK(cast("M8[Y]", "M8[M]", highest) == std::nullopt);
    CHECK(cast("M8[as]", "M8[2147483647Y]", -highest) == -1);
    // -2^63 is NaT, not a date.
    CHECK(cast("m8[2s]", "m8[s]", lowest / 2) == std::nullopt);
    CHECK(cast("m8[2s]", "m8[s]", lowest / 2 + 1) == lowest + 2);
}

TEST_CASE("there is no cast between dates and durations, without a unit, or between equal units", "[element][time]") {
    for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
             {"M8[s]", "m8[s]"}, {"M8", "M8[s]"}, {"M8[s]", "M8"}, {"M8[60m]", "M8[h]"}, {"i8", "M8[s]"}})
        CHECK_FALSE(nk::core::time_cast::between(nk::dtype::parse(from), nk::dtype::parse(to)));
}

TEST_CASE("times are cast as NumPy casts them", "[element][time][python]") {
    if (python().empty()) {
        WARN("no Python with NumPy: nothing checked");
        return;
    }
    const temp_dir dir;
    nk::json cases = nk::json::array();
    const std::vector<std::string> units = {"Y", "3Y", "M", "5M", "W",  "D",  "2D", "h",
                                            "m", "7m", "s", "ms", "us", "ns", "ps", "fs"};
    for (const std::string kind : {"M8", "m8"})
        for (const auto& from : units)
            for (const auto& to : units)
                for (const std::int64_t count : {0, 1, -1, 12, -13, 59, 400, -719468, 1234567}) {
                    const auto a = kind + '[' + from + ']', b = kind + '[' + to + ']';
                    if (const auto found = cast(a.c_str(), b.c_str(), count))
                        cases.push_back({a, b, count, *found});
                }
    write_text(dir / "cases.json", cases.dump());
    check_in_python(dir, R"(
cases = json.load(open('cases.json'))
assert len(cases) > 2000, len(cases)
for a, b, count, found in cases:
    # NumPy multiplies before it divides, and does not see that the product exceeds 64 bits.
    finest = {a[3:-1], b[3:-1]} & {'us', 'ns', 'ps', 'fs'}
    averages = a[0] == 'm' and a[-2] in 'YM'
    if (abs(count) > 2000) + bool(finest) + averages > 1: continue
    try: wanted = int(np.array([count], a).astype(b).astype('i8')[0])
    except OverflowError: continue
    assert wanted == found, (a, b, count, found, wanted)
)");
}

}  // namespace time_cast_tests
