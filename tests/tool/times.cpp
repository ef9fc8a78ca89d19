// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: dates and durations of different units, cast and compared.
#include "tool/run_tool.hpp"

#include <chrono>
#include <limits>

namespace tool_times_tests {

using namespace ndkeep;

namespace {

constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();

[[nodiscard]] tool_run cast(const std::string& file, const std::string& dtype, std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"convert", "-f", "--dtype", dtype});
    options.insert(options.end(), {file, file + ".out.npy"});
    return run_tool(options);
}

[[nodiscard]] std::vector<std::int64_t> counts_of(const std::string& file) {
    const auto bytes = read_text(file + ".out.npy");
    std::vector<std::int64_t> counts((bytes.size() - 128) / sizeof(std::int64_t));
    std::memcpy(counts.data(), bytes.data() + 128, counts.size() * sizeof(std::int64_t));
    return counts;
}

}  // namespace

TEST_CASE("convert casts dates and durations between units, and rounds down", "[tool][time]") {
    const temp_dir dir;
    const auto dates = write_npy<std::int64_t>(dir / "d.npy", "<M8[ms]", {4}, {1500, -1500, not_a_time, 86'400'000});
    const auto spans = write_npy<std::int64_t>(dir / "s.npy", "<m8[ms]", {3}, {1500, -1500, not_a_time});

    REQUIRE(cast(dates, "<M8[s]").status == 0);
    CHECK(counts_of(dates) == std::vector<std::int64_t>{1, -2, not_a_time, 86'400});
    REQUIRE(cast(dates, "<M8[M]").status == 0);
    CHECK(counts_of(dates) == std::vector<std::int64_t>{0, -1, not_a_time, 0});
    REQUIRE(cast(spans, "<m8[2s]").status == 0);
    CHECK(counts_of(spans) == std::vector<std::int64_t>{0, -1, not_a_time});
    REQUIRE(cast(spans, ">m8[us]").status == 0);
    CHECK(inspect(spans + ".out.npy").type.str() == ">m8[us]");
}

TEST_CASE("convert names the element that does not fit another unit, also with --unsafe", "[tool][time]") {
    const temp_dir dir;
    const auto file = write_npy<std::int64_t>(dir / "d.npy", "<M8[D]", {2, 2}, {0, 1, 2, 200'000});

    for (const auto& options : {std::vector<std::string>{}, {"--unsafe"}}) {
        const auto done = cast(file, "M8[ns]", options);
        CHECK(done.status == 2);
        CHECK(done.warns("element [1, 1] is 2517-08-01, expected a value that fits '<M8[ns]'"));
        CHECK_FALSE(done.warns("--unsafe"));
    }
}

TEST_CASE("convert casts only what NumPy calls the same kind of time", "[tool][time]") {
    const temp_dir dir;
    const auto years = write_npy<std::int64_t>(dir / "y.npy", "<m8[Y]", {1}, {4});

    CHECK(cast(years, "m8[M]").status == 0);
    CHECK(cast(years, "m8[D]").warns("--unsafe casts it anyway"));
    CHECK(cast(years, "M8[Y]", {"--unsafe"}).status == 2);
    CHECK(cast(years, "m8", {"--unsafe"}).status == 2);
    REQUIRE(cast(years, "<m8[D]", {"--unsafe"}).status == 0);
    CHECK(counts_of(years) == std::vector<std::int64_t>{1460});
}

TEST_CASE("convert casts the times in fields of structs", "[tool][time]") {
    const temp_dir dir;
    const auto file = write_npy<std::int64_t>(dir / "t.npy", "[('t','<M8[s]'),('n','<i8')]", {1}, {-1, 7});

    REQUIRE(cast(file, "[('t','<M8[m]'),('n','<i8')]").status == 0);

    CHECK(run_tool({"show", "--json", file + ".out.npy"}).has("1969-12-31T23:59"));
}

TEST_CASE("every date of 64 bits is written to csv and read back", "[tool][time]") {
    const temp_dir dir;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    const std::vector<std::int64_t> counts = {most,           -most, most - 1, 2'000'000'000,
                                              -2'000'000'000, 8030,  12,       not_a_time};
    for (const std::string unit : {"Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"})
        for (const std::string multiple : {"", "7", "2000000000"}) {
            const auto dtype = "<M8[" + multiple + unit + ']';
            CAPTURE(dtype);
            const auto file = write_npy(dir / "t.npy", dtype, {counts.size()}, counts);
            const auto csv = (dir / "t.csv").string();
            REQUIRE(run_tool({"convert", "-f", file, csv}).status == 0);
            CAPTURE(read_text(csv));
            REQUIRE(run_tool({"convert", "-f", "--dtype", dtype, csv, file + ".out.npy"}).err.find("expected") ==
                    std::string::npos);
            CHECK(counts_of(file) == counts);
        }
}

TEST_CASE("dates far from now are printed with their year", "[tool][time]") {
    const temp_dir dir;
    const auto shown = [&](const std::string& dtype, std::int64_t count) {
        return run_tool({"show", write_npy<std::int64_t>(dir / "t.npy", dtype, {1}, {count})}).out;
    };

    CHECK(shown("<M8[Y]", std::numeric_limits<std::int64_t>::max()) == "['9223372036854777777']\n");
    CHECK(shown("<M8[D]", 3'652'425'000'000) == "['10000001970-01-01']\n");
    CHECK(shown("<M8[10Y]", -197) == "['0000']\n");
    CHECK(shown("<M8[M]", -1970 * 12 - 1) == "['-001-12']\n");
}

TEST_CASE("diff compares dates and durations of different units", "[tool][time]") {
    const temp_dir dir;
    const auto seconds = write_npy<std::int64_t>(dir / "s.npy", "<M8[s]", {3}, {0, 86'400, -86'400});
    const auto days = write_npy<std::int64_t>(dir / "d.npy", "<M8[D]", {3}, {0, 1, -1});
    const auto other = write_npy<std::int64_t>(dir / "o.npy", "<M8[ns]", {3}, {0, 1, not_a_time});
    const auto years = write_npy<std::int64_t>(dir / "y.npy", "<m8[Y]", {3}, {0, 1, 2});
    const auto spans = write_npy<std::int64_t>(dir / "m.npy", "<m8[D]", {3}, {0, 1, 2});

    const auto same = run_tool({"diff", seconds, days});
    CHECK(same.status == 1);
    CHECK(same.has("'<M8[s]' and '<M8[D]'"));
    CHECK_FALSE(same.has("differ,"));
    CHECK(run_tool({"diff", seconds, other}).has("2 of 3 elements differ, the first at [1]"));
    const auto not_compared = run_tool({"diff", years, spans});
    CHECK(not_compared.status == 1);
    CHECK(not_compared.has("not compared"));
}

}  // namespace tool_times_tests
