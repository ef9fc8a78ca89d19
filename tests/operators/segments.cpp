// SPDX-License-Identifier: BSD-3-Clause
// Segments by width, calendar, edges, rows and functions: which rows they have, and when they are given.
#include "operators/segments.hpp"

#include <ndkeep/npy.hpp>

namespace segments_tests {

namespace nk = ndkeep;
using namespace segmenttest;
using namespace std::chrono_literals;

namespace {

// Minutes 1:3 3:1 4:2 6:5 17:7 18:6.
const readings minutes = {{1, 3}, {3, 1}, {4, 2}, {6, 5}, {17, 7}, {18, 6}};

const std::vector<nk::aggregate<reading>> ends_and_sum = {
    nk::first(&reading::value, "first"), nk::last(&reading::value, "last"), nk::min(&reading::value, "min"),
    nk::max(&reading::value, "max"),     nk::sum(&reading::value, "sum"),   nk::count("n")};

/// first, last, min, max, sum of each row.
[[nodiscard]] std::vector<numbers> table(const nk::any_array& rows) {
    std::vector<numbers> all(rows.size());
    for (const char* name : {"key", "first", "last", "min", "max", "sum", "n"}) {
        const auto values = column(rows, name);
        for (std::size_t i = 0; i < values.size(); ++i)
            all[i].push_back(values[i]);
    }
    return all;
}

}  // namespace

TEST_CASE("bins of five minutes have the rows from their left edge on", "[segments]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 5, .closed = nk::left}, ends_and_sum);

    CHECK(table(bars.push(minutes)) ==
          std::vector<numbers>{{0, 3, 2, 1, 3, 6, 3}, {5, 5, 5, 5, 5, 5, 1}, {10, 0, 0, 0, 0, 0, 0}});
    CHECK(table(bars.finish()) == std::vector<numbers>{{15, 7, 6, 6, 7, 13, 2}});
}

TEST_CASE("a key on an edge belongs to the bin that is closed there", "[segments]") {
    const readings rows = {{0, 1}, {5, 2}, {10, 3}};
    const auto labels = [&](nk::bin_edge closed) {
        nk::segments<reading> bars({.on = &reading::key, .every = 5, .closed = closed}, {nk::count("n")});
        auto all = column(bars.push(rows), "key");
        for (const auto label : column(bars.finish(), "key"))
            all.push_back(label);
        return all;
    };

    CHECK(labels(nk::left) == numbers{0, 5, 10});
    CHECK(labels(nk::right) == numbers{-5, 0, 5});
}

TEST_CASE("a segment under way is provisional, and given once when it is complete", "[segments]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 5}, ends_and_sum);

    CHECK(bars.current().size() == 0);
    CHECK(bars.push(readings(minutes.begin(), minutes.begin() + 2)).size() == 0);
    CHECK(table(bars.current()) == std::vector<numbers>{{0, 3, 1, 1, 3, 4, 2}});
    CHECK(table(bars.push(readings(minutes.begin() + 2, minutes.begin() + 4))) ==
          std::vector<numbers>{{0, 3, 2, 1, 3, 6, 3}});
    CHECK(table(bars.current()) == std::vector<numbers>{{5, 5, 5, 5, 5, 5, 1}});
    CHECK(bars.push(readings(minutes.begin() + 4, minutes.end())).size() == 2);
}

TEST_CASE("snapshots show the bin under way before each point, and the complete bin at its end", "[segments]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 10, .output = {.snapshots = 5}}, ends_and_sum);

    CHECK(table(bars.push(minutes)) == std::vector<numbers>{{0, 3, 5, 1, 5, 11, 4}});
    CHECK(table(bars.snapshots()) ==
          std::vector<numbers>{{5, 3, 2, 1, 3, 6, 3}, {10, 3, 5, 1, 5, 11, 4}, {15, 0, 0, 0, 0, 0, 0}});
    CHECK(table(bars.finish()) == std::vector<numbers>{{10, 7, 6, 6, 7, 13, 2}});
    CHECK(table(bars.snapshots()) == std::vector<numbers>{{20, 7, 6, 6, 7, 13, 2}});
}

TEST_CASE("snapshots at listed points, or with bins closed on the right, observe rows up to the point", "[segments]") {
    nk::segments<reading> listed(
        {.on = &reading::key, .every = 100, .output = {.snapshots = nk::edges({0, 4, 17, 19})}}, {nk::count("n")});
    (void)listed.push(minutes);
    CHECK(column(listed.snapshots(), "key") == numbers{4, 17});
    CHECK(column(listed.snapshots(), "n") == numbers{2, 4});
    (void)listed.finish();
    CHECK(column(listed.snapshots(), "key") == numbers{19});

    nk::segments<reading> right(
        {.on = &reading::key, .every = 100, .closed = nk::right, .output = {.snapshots = nk::edges({4, 17})}},
        {nk::count("n")});
    (void)right.push(minutes);
    CHECK(column(right.snapshots(), "key") == numbers{4, 17});
    CHECK(column(right.snapshots(), "n") == numbers{3, 5});
}

TEST_CASE("segments of four rows count rows over chunks", "[segments]") {
    nk::segments<reading> bars({.on = &reading::key, .every = nk::rows(4)}, ends_and_sum);

    CHECK(table(bars.push(readings{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}})) ==
          std::vector<numbers>{{1, 1, 4, 1, 4, 10, 4}});
    CHECK(table(bars.current()) == std::vector<numbers>{{5, 5, 5, 5, 5, 5, 1}});
    CHECK(table(bars.push(readings{{6, 6}, {7, 7}, {8, 8}, {9, 9}, {10, 10}})) ==
          std::vector<numbers>{{5, 5, 8, 5, 8, 26, 4}});
    CHECK(table(bars.finish()) == std::vector<numbers>{{9, 9, 10, 9, 10, 19, 2}});
}

TEST_CASE("segments without keys have the number of their first row", "[segments]") {
    nk::segments<reading> bars({.every = nk::rows(2)}, {nk::sum(&reading::value)});

    const auto done = bars.push(readings{{9, 1}, {1, 2}, {5, 3}, {4, 4}, {3, 5}});
    CHECK(column(done, "row") == numbers{0, 2});
    CHECK(column(done, "value_sum") == numbers{3, 7});
    CHECK(column(bars.finish(), "row") == numbers{4});
}

TEST_CASE("segments begin at the rows for which a function is true", "[segments]") {
    nk::segments<reading> gaps(
        {.on = &reading::key, .every = [](const reading& a, const reading& b) { return b.key - a.key > 5; }},
        ends_and_sum);
    CHECK(gaps.push(readings(minutes.begin(), minutes.begin() + 4)).size() == 0);
    CHECK(table(gaps.push(readings(minutes.begin() + 4, minutes.end()))) ==
          std::vector<numbers>{{1, 3, 5, 1, 5, 11, 4}});
    CHECK(table(gaps.finish()) == std::vector<numbers>{{17, 7, 6, 6, 7, 13, 2}});

    nk::segments<reading> odd({.every = [](const reading& row) { return row.value % 2 == 1; }}, {nk::count("n")});
    CHECK(column(odd.push(minutes), "n") == numbers{1, 2, 1});
    CHECK(column(odd.finish(), "n") == numbers{2});
}

TEST_CASE("segments between listed edges need keys within them", "[segments]") {
    const auto bars = [](nk::bin_edge closed) {
        return nk::segments<reading>({.on = &reading::key, .every = nk::edges({0, 4, 16, 18}), .closed = closed},
                                     {nk::count("n")});
    };
    auto left = bars(nk::left), right = bars(nk::right);

    const auto error = thrown<nk::mismatch_error>([&] { (void)left.push(minutes); });
    CHECK(error.field() == "key 'key' of row 5");
    CHECK(error.found() == "18");
    CHECK(column(right.push(minutes), "key") == numbers{0, 4});
    CHECK(column(right.finish(), "n") == numbers{2});

    CHECK_THROWS_AS(nk::segments<reading>({.on = &reading::key, .every = nk::edges({1})}, {}), nk::mismatch_error);
    CHECK_THROWS_AS(nk::segments<reading>({.on = &reading::key, .every = nk::edges({1, 1})}, {}), nk::mismatch_error);
}

TEST_CASE("trailing empty bins are given only up to a key that is asked for", "[segments]") {
    const auto ends = [](const auto& finish) {
        nk::segments<reading> bars({.on = &reading::key, .every = 5}, {nk::count("n")});
        (void)bars.push(minutes);
        return column(finish(bars), "key");
    };

    CHECK(ends([](auto& bars) { return bars.finish(); }) == numbers{15});
    CHECK(ends([](auto& bars) { return bars.finish(30); }) == numbers{15, 20, 25});
    CHECK(ends([](auto& bars) { return bars.finish(19); }) == numbers{15});
}

TEST_CASE("empty bins are left out if they are not wanted", "[segments]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 5, .output = {.snapshots = 1, .empty_bins = false}},
                               {nk::count("n")});

    CHECK(column(bars.push(minutes), "key") == numbers{0, 5});
    CHECK(column(bars.snapshots(), "key") == numbers{2, 3, 4, 5, 7, 8, 9, 10, 18});
}

TEST_CASE("advance closes the bins before a key, and later rows must not be below it", "[segments]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 5}, {nk::count("n")});

    CHECK(bars.advance(3).size() == 0);
    (void)bars.push(readings{{3, 0}, {4, 0}});
    CHECK(bars.advance(4).size() == 0);
    CHECK(column(bars.advance(nk::statistics::number(std::int64_t{11})), "key") == numbers{0, 5});
    CHECK(thrown<nk::mismatch_error>([&] { (void)bars.advance(10); }).found() == "10");
    CHECK(column(bars.push(readings{{16, 0}}), "key") == numbers{10});
    CHECK(thrown<nk::mismatch_error>([&] { (void)bars.push(readings{{15, 0}}); }).expected() == "not below 16");
}

TEST_CASE("bins begin at an origin", "[segments]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 5, .origin = 2}, {nk::count("n")});

    CHECK(column(bars.push(minutes), "key") == numbers{-3, 2, 7, 12});
}

TEST_CASE("widths are durations, in the unit of the keys", "[segments]") {
    using days = std::chrono::sys_days;
    std::chrono::sys_time<std::chrono::nanoseconds> begin = days(2024y / 2 / 28) + 23h + 58min;
    std::vector<trade> rows;
    for (int minute = 0; minute < 12; minute += 2)
        rows.push_back({begin + std::chrono::minutes(minute), 1.0, 1, 0, 0});
    nk::segments<trade> bars({.on = &trade::time, .every = 5min}, {nk::count("n")});

    const auto done = bars.push(rows);
    CHECK(column<decltype(begin)>(done, "time") ==
          std::vector<std::chrono::sys_time<std::chrono::nanoseconds>>{begin - 3min, begin + 2min});
    CHECK(column(done, "n") == numbers{1, 3});
    CHECK(done.type().fields()[0].type.str() == "<M8[ns]");
}

struct dated {
    std::chrono::sys_time<std::chrono::duration<std::int64_t, std::ratio<86400>>> day;
    std::int64_t count;
};
NDKEEP_FIELDS(dated, day, count);

TEST_CASE("months and years are those of the calendar", "[segments]") {
    using day = decltype(dated::day);
    const auto at = [](std::chrono::year_month_day date) {
        return day(std::chrono::duration_cast<day::duration>(std::chrono::sys_days(date).time_since_epoch()));
    };
    std::vector<dated> rows;
    for (auto date = at(2023y / 12 / 31); date < at(2025y / 2 / 2); date += day::duration(1))
        rows.push_back({date, 1});

    nk::segments<dated> months({.on = &dated::day, .every = std::chrono::months(1)}, {nk::count("n")});
    CHECK(column(months.push(rows), "n") == numbers{1, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31});
    CHECK(column<day>(months.finish(), "day") == std::vector<day>{at(2025y / 2 / 1)});

    nk::segments<dated> years({.on = &dated::day, .every = std::chrono::years(1), .closed = nk::right},
                              {nk::count("n")});
    const auto done = years.push(rows);
    CHECK(column<day>(done, "day") == std::vector<day>{at(2023y / 1 / 1), at(2024y / 1 / 1)});
    CHECK(column(done, "n") == numbers{2, 366});

    nk::segments<dated> quarters({.on = &dated::day, .every = std::chrono::months(3), .origin = at(2024y / 2 / 1)},
                                 {nk::count("n")});
    CHECK(column<day>(quarters.push(rows), "day") == std::vector<day>{at(2023y / 11 / 1), at(2024y / 2 / 1),
                                                                      at(2024y / 5 / 1), at(2024y / 8 / 1),
                                                                      at(2024y / 11 / 1)});
}

struct measured {
    double at;
    float value;
};
NDKEEP_FIELDS(measured, at, value);

TEST_CASE("keys may be floating-point numbers, with bins of a width that is no binary fraction", "[segments]") {
    std::vector<measured> rows;
    for (int i = 0; i < 100; ++i)
        rows.push_back({0.1 * i, static_cast<float>(i)});
    nk::segments<measured> bars({.on = &measured::at, .every = 0.1},
                                {nk::count("n"), nk::first(&measured::value, "i")});

    auto labels = column<double>(bars.push(rows), "at");
    CHECK(labels.size() == 99);
    for (std::size_t i = 0; i < labels.size(); ++i)
        CHECK(labels[i] == 0.1 * static_cast<double>(i));

    nk::segments<measured> right({.on = &measured::at, .every = 0.5, .closed = nk::right}, {nk::count("n")});
    labels =
        column<double>(right.push(std::vector<measured>{{-0.5, 0}, {-0.0, 0}, {0.0, 0}, {0.25, 0}, {1e3, 0}}), "at");
    CHECK(labels[0] == -1.0);
    CHECK(labels[1] == -0.5);
    CHECK(labels.size() == 2001);
}

TEST_CASE("keys of every integer width reach to both ends of their range", "[segments]") {
    CHECK(true);
    nk::segments<reading> bars({.on = &reading::key, .every = 1'000'000'000'000, .output = {.empty_bins = false}},
                               {nk::count("n")});
    constexpr auto least = std::numeric_limits<std::int64_t>::min(), most = std::numeric_limits<std::int64_t>::max();
    const auto error = thrown<nk::mismatch_error>([&] { (void)bars.push(readings{{least, 0}}); });
    CHECK(error.field() == "left edge of the bin of -9223372036854775808");

    nk::segments<reading> last({.on = &reading::key, .every = 1'000'000'000'000}, {nk::count("n")});
    CHECK(last.push(readings{{most - 1, 0}, {most, 0}}).size() == 0);
    CHECK(column(last.finish(), "n") == numbers{2});
}

TEST_CASE("keys that descend, NaN and NaT are errors that name the row and both values", "[segments][error]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 5}, {nk::count("n")});
    (void)bars.push(readings{{1, 0}, {3, 0}});
    auto error = thrown<nk::mismatch_error>([&] { (void)bars.push(readings{{3, 0}, {4, 0}, {2, 0}}); });
    CHECK(std::string(error.what()) == "key 'key' of row 4 is 2, expected not below 4 (sort the rows by it)");

    nk::segments<measured> real({.on = &measured::at, .every = 1.0}, {nk::count("n")});
    error = thrown<nk::mismatch_error>([&] { (void)real.push(std::vector<measured>{{1, 0}, {missing, 0}}); });
    CHECK(std::string(error.what()) == "key 'at' of row 1 is NaN, expected not below 1.0");
    nk::segments<measured> negative({.on = &measured::at, .every = 1.0}, {nk::count("n")});
    error = thrown<nk::mismatch_error>([&] { (void)negative.push(std::vector<measured>{{-missing, 0}}); });
    CHECK(std::string(error.what()) == "key 'at' of row 0 is NaN, expected a key");

    nk::segments<trade> times({.on = &trade::time, .every = 5min}, {nk::count("n")});
    error = thrown<nk::mismatch_error>([&] {
        (void)times.push(std::vector<trade>{{nk::not_a_time<decltype(trade::time)>, 0, 0, 0, 0}});
    });
    CHECK(error.found() == "NaT");
}

TEST_CASE("options that do not fit are errors", "[segments][error]") {
    const auto sentence = [](nk::segment_options<trade> options, std::vector<nk::aggregate<trade>> aggregates = {}) {
        return std::string(thrown<nk::mismatch_error>([&] { nk::segments<trade>(options, aggregates); }).what());
    };

    CHECK(sentence({.every = 5min}) == "keys is none, expected a member of the rows (set .on)");
    CHECK(sentence({.on = &trade::time, .every = 0}) ==
          "width of the bins is 0, expected positive, and of at most 63 bits");
    CHECK(sentence({.on = &trade::size, .every = 5min}) ==
          "width of the bins is a duration, expected a number, because the keys are '<i8'");
    CHECK(sentence({.on = &trade::size, .every = std::chrono::months(1)}) ==
          "width of the bins is months of the calendar, expected a number or a duration, because the keys are '<i8'");
    CHECK(sentence({.on = &trade::size, .every = 0.5}) ==
          "width of the bins is 0.5, expected an integer, as the keys are");
    CHECK(sentence({.on = &trade::time, .every = std::chrono::duration<std::int64_t, std::pico>(1500)}) ==
          "width of the bins is 1500 of '<m8[ps]', expected a multiple of the unit of the keys, '<M8[ns]'");
    CHECK(sentence({.every = nk::rows(0)}) == "rows of a segment is 0, expected at least 1");
    CHECK(sentence({.every = nk::rows(1)}, {nk::sum(&trade::size), nk::sum(&trade::size)}) ==
          "names of the output is 'size_sum' twice, expected different names (give the aggregate a name of its own)");
    CHECK(sentence({.on = &trade::time, .every = 1h}, {nk::count("time")}).find("'time' twice") != std::string::npos);
    CHECK(std::string(thrown<nk::mismatch_error>([] { (void)nk::sum(&trade::time); }).what()) ==
          "sum of 'time' is '<M8[ns]', expected real numbers");
    CHECK(std::string(thrown<nk::mismatch_error>([] { (void)nk::quantile(&trade::price, 1.5); }).what()) ==
          "quantile of 'price' is 1.5, expected from 0 to 1");
}

TEST_CASE("one false date does not fill the memory with empty bins", "[segments][error]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 1}, {nk::count("n")});

    const auto error = thrown<nk::mismatch_error>([&] {
        (void)bars.push(readings{{1, 0}, {std::int64_t{1} << 60, 0}});
    });
    CHECK(error.hint() == "set .output = {.empty_bins = false}");
}

TEST_CASE("no rows can be pushed after finish", "[segments][error]") {
    nk::segments<reading> bars({.on = &reading::key, .every = 1}, {nk::count("n")});
    (void)bars.finish();

    CHECK_THROWS_AS(bars.push(minutes), nk::mismatch_error);
}

TEST_CASE("rows are read in place from vectors, strided views, mapped files and expressions", "[segments]") {
    temp_dir dir;
    xt::xtensor<reading, 1> all(std::array<std::size_t, 1>{minutes.size()});
    std::copy(minutes.begin(), minutes.end(), all.begin());
    nk::save(dir / "rows.npy", all);
    const auto mapped = nk::map<reading, 1>(dir / "rows.npy");
    const auto count = [](const auto& rows) {
        nk::segments<reading> bars({.on = &reading::key, .every = 5, .output = {.empty_bins = false}},
                                   {nk::count("n")});
        auto counts = column(bars.push(rows), "n");
        counts.push_back(column(bars.finish(), "n").at(0));
        return counts;
    };

    CHECK(count(minutes) == numbers{3, 1, 2});
    CHECK(count(all) == numbers{3, 1, 2});
    CHECK(count(mapped) == numbers{3, 1, 2});
    CHECK(count(std::span<const reading>(minutes)) == numbers{3, 1, 2});
    CHECK(count(xt::view(mapped, xt::range(1, 6, 2))) == numbers{1, 1, 1});
    xt::xtensor<reading, 2> square(std::array<std::size_t, 2>{2, 3});
    CHECK(thrown<nk::mismatch_error>([&] { (void)count(square); }).found() == "(2, 3)");
}

TEST_CASE("results have the layout of a C++ struct with these members", "[segments]") {
    nk::segments<trade> bars({.on = &trade::time, .every = 5min},
                             {nk::last(&trade::venue), nk::mean(&trade::price), nk::min(&trade::fee), nk::count("n")});

    const std::vector<std::size_t> offsets = {0, 8, 16, 24, 32};
    REQUIRE(bars.type().fields().size() == offsets.size());
    for (std::size_t i = 0; i < offsets.size(); ++i)
        CHECK(bars.type().fields()[i].offset == offsets[i]);
    CHECK(bars.type().size() == 40);
    CHECK(bars.type().fields()[1].name == "venue_last");
}

}  // namespace segments_tests
