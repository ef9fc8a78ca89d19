// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: values through csv and back, with and without a dtype.
#include "tool/run_tool.hpp"

#include <ndkeep/npy.hpp>

#include <chrono>
#include <limits>

namespace tool_csv_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

struct csv_row {
    std::int64_t id;
    float weight;
    bool is_good;
    fixed_string<4> name;
};
NDKEEP_FIELDS(csv_row, id, weight, is_good, name);

[[nodiscard]] tool_run convert(const fs::path& from, const fs::path& to, std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"convert", "--force"});
    options.push_back(from.string());
    options.push_back(to.string());
    return run_tool(options);
}

/// Converts a file to csv and back, and compares all bytes.
void check_round_trip(const fs::path& file, const std::vector<std::string>& options = {}) {
    const auto csv = file.string() + ".csv", back = file.string() + ".back.npy";
    INFO(file << ' ' << (options.empty() ? std::string() : options.front()));
    REQUIRE(convert(file, csv).status == 0);
    INFO(read_text(csv));
    const auto done = convert(csv, back, options);
    INFO(done.err);
    CHECK(done.status == 0);
    CHECK(read_text(back) == read_text(file));
}

/// The dtype that csv has without --dtype.
[[nodiscard]] std::string read_as(const temp_dir& dir, const std::string& text) {
    write_text(dir / "t.csv", text);
    const auto done = convert(dir / "t.csv", dir / "t.npy");
    return done.status == 0 ? inspect(dir / "t.npy").type.str() : done.err;
}

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

}  // namespace

TEST_CASE("csv without a dtype gives back what it can tell", "[tool][csv]") {
    const temp_dir dir;
    const auto through = [&](const auto& array) {
        save(dir / "a.npy", array);
        check_round_trip(dir / "a.npy");
    };

    through(xt::xtensor<std::int64_t, 1>{lowest, 9007199254740993, 0});
    through(xt::xtensor<std::int64_t, 2>{{1550083467346370001, 1}, {1550083467346370003, -2}});
    through(xt::xtensor<std::uint64_t, 1>{std::numeric_limits<std::uint64_t>::max(), 0});
    through(xt::xtensor<double, 1>{1, 0.1, 1e300, 9007199254740994.0, 12345678901234567890.0});
    through(xt::xtensor<bool, 2>{{true, false}, {false, false}});
    through(xt::xtensor<std::complex<double>, 1>{{1, 2}, {0, -0.5}});
    for (const char* const unit : {"M", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"})
        check_round_trip(write_npy<std::int64_t>(dir / "d.npy", "<M8[" + std::string(unit) + "]", {5},
                                                 {0, -1, lowest, 123456789, -62135596800}));
}

TEST_CASE("csv with a dtype gives back every value of the dtype", "[tool][csv]") {
    const temp_dir dir;
    constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
    for (const char* const unit : {"Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"})
        for (const std::string kind : {"<M8", ">m8"}) {
            const auto type = kind + '[' + unit + ']';
            check_round_trip(write_npy<std::int64_t>(dir / "d.npy", type, {5}, {0, -1, lowest, 2024, -2024}),
                             {"--dtype=" + type});
        }
    for (const char* const type : {"<M8[s]", "<M8[ns]", "<M8[as]", "<M8[h]", "<m8[D]", "<M8", "<m8"})
        check_round_trip(write_npy<std::int64_t>(dir / "l.npy", type, {3}, {lowest + 1, highest, 25}),
                         {std::string("--dtype=") + type});
    check_round_trip(write_npy<std::int64_t>(dir / "q.npy", "<M8[15m]", {2}, {3, -7}), {"--dtype=M8[15m]"});
    check_round_trip(write_npy<char>(dir / "v.npy", "|V2", {2}, {'\0', '\x7f', '\xff', 'a'}), {"--dtype=V2"});

    save(dir / "s.npy", std::vector<csv_row>{{9007199254740993, 0.1F, true, fixed_string<4>(" a,\"")},
                                             {lowest, -0.0F, false, fixed_string<4>("\n\r")}});
    check_round_trip(dir / "s.npy", {"--dtype=" + inspect(dir / "s.npy").type.descr()});
}

TEST_CASE("csv without a dtype has the first dtype that fits all values", "[tool][csv]") {
    const temp_dir dir;

    CHECK(read_as(dir, "1,-2\n+3, 4\n") == "<i8");
    CHECK(read_as(dir, "1\n18446744073709551615\n") == "<u8");
    CHECK(read_as(dir, "1,2.5\n3,4\n") == "<f8");
    CHECK(read_as(dir, "9007199254740992\n0.5\nnan\n") == "<f8");
    CHECK(read_as(dir, "true\nFalse\n") == "|b1");
    CHECK(read_as(dir, "1\n2j\n") == "<c16");
    CHECK(read_as(dir, "2020-01-02\nNaT\n2020-01-02 03:04:05.25\n") == "<M8[ms]");
    CHECK(read_as(dir, "2020\n2021\n") == "<i8");
    CHECK(read_as(dir, "") == "<f8");
    for (const char* const text : {"2020-02-30", "2020-13", "2020-01-01T24", "2020-01-01T", "NaT", "1\nTrue\n", "x"})
        CHECK(read_as(dir, text).find("expected a value of dtype '<f8'") != std::string::npos);
}

TEST_CASE("csv without a dtype rounds no integer", "[tool][csv]") {
    const temp_dir dir;
    const auto refuses = [&](const std::string& text, const std::string& place) {
        const auto said = read_as(dir, text);
        INFO(said);
        CHECK(said.find(place + ", expected an integer that float64 holds exactly (--dtype int64") !=
              std::string::npos);
    };

    refuses("0.5,9007199254740993\n", "line 1, column 2 is '9007199254740993'");
    refuses("18446744073709551615\n-1\n", "line 1, column 1 is '18446744073709551615'");
    refuses("18446744073709551617\n", "line 1, column 1 is '18446744073709551617'");
    refuses("1j\n-9007199254740993\n", "line 2, column 1 is '-9007199254740993'");
    CHECK(read_as(dir, "0.5\n-09007199254740994\n36893488147419103232\n") == "<f8");
    CHECK(convert(dir / "t.csv", dir / "t.npy", {"--dtype=f4"}).status == 0);
}

TEST_CASE("csv keeps the blanks of text, also without quotes", "[tool][csv]") {
    const temp_dir dir;
    write_text(dir / "t.csv", " a,b \r\n\"c\" , \" d\"\r\n");

    REQUIRE(convert(dir / "t.csv", dir / "t.npy", {"--dtype=S3"}).status == 0);

    using text = fixed_string<3>;
    CHECK((load<text, 2>(dir / "t.npy") == xt::xtensor<text, 2>{{text(" a"), text("b ")}, {text("c"), text(" d")}}));
}

TEST_CASE("csv of dates is refused where the dtype would lose a part", "[tool][csv]") {
    const temp_dir dir;
    write_text(dir / "t.csv", "2020-01-02T03:00\n");

    CHECK(convert(dir / "t.csv", dir / "t.npy", {"--dtype=M8[h]"}).status == 0);
    CHECK(convert(dir / "t.csv", dir / "t.npy", {"--dtype=M8[2h]"}).warns("line 1, column 1"));
    CHECK(convert(dir / "t.csv", dir / "t.npy", {"--dtype=M8[D]"}).warns("line 1, column 1"));
    write_text(dir / "t.csv", "9000-01-01\n");
    CHECK(convert(dir / "t.csv", dir / "t.npy", {"--dtype=M8[ns]"}).warns("line 1, column 1"));
}

}  // namespace tool_csv_tests
