// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: values through csv and back, with and without a dtype.
#include "tool/run_tool.hpp"

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/npy.hpp>

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

/// The dtype that csv has without --dtype, or the error.
[[nodiscard]] std::string read_as(const temp_dir& dir, const std::string& text,
                                  const std::vector<std::string>& options = {}) {
    write_text(dir / "t.csv", text);
    const auto done = convert(dir / "t.csv", dir / "t.npy", options);
    return done.status == 0 ? core::dtype_text(inspect(dir / "t.npy").type) : done.err;
}

/// The csv that the tool writes for this csv.
[[nodiscard]] std::string written_for(const temp_dir& dir, const std::string& text,
                                      const std::vector<std::string>& options = {}) {
    write_text(dir / "t.csv", text);
    const auto done = convert(dir / "t.csv", dir / "out.csv", options);
    return done.status == 0 ? read_text(dir / "out.csv") : done.err;
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

TEST_CASE("csv with column names gives a struct with a dtype for each column", "[tool][csv]") {
    const temp_dir dir;
    const std::string text = "id,weight,good,day,code,note\n"
                             "1,0.5,True,2024-05-06,A1,\"x, \"\"y\"\"\"\n"
                             "-2,3,False,2024-05-07T08,7,\xc3\xa4\n";

    CHECK(read_as(dir, text) == "[('id', '<i8'), ('weight', '<f8'), ('good', '|b1'), ('day', '<M8[h]'), "
                                "('code', '<U2'), ('note', '<U6')]");
    CHECK(inspect(dir / "t.npy").shape == std::vector<std::size_t>{2});
    CHECK(written_for(dir, text) == "id,weight,good,day,code,note\n"
                                    "1,0.5,True,2024-05-06T00,A1,\"x, \"\"y\"\"\"\n"
                                    "-2,3.0,False,2024-05-07T08,7,\xc3\xa4\n");
    CHECK(read_as(dir, "\"a b\", c \r\n1,2j\r\n") == "[('a b', '<i8'), ('c', '<c16')]");
    CHECK(read_as(dir, "x\n1\n2\n") == "[('x', '<i8')]");
    CHECK(read_as(dir, "# a,#b\n1,2\n") == "[('a', '<i8'), ('#b', '<i8')]");
    CHECK(read_as(dir, "# a,b\n1,2\n", {"--dtype=[('a', '<f4'), ('b', '<f4')]"}) == "[('a', '<f4'), ('b', '<f4')]");
    CHECK(written_for(dir, "\"#a\"\n1\n") == "\"#a\"\n1\n");
}

TEST_CASE("csv that the tool wrote from structs reads back without a dtype", "[tool][csv]") {
    const temp_dir dir;
    write_text(dir / "t.csv", "a,b,c,d,e,f\n1,True,0.5,2024-01-02,\xc3\xa4,(1+2j)\n");
    const std::string type = "[('a', '<i8'), ('b', '|b1'), ('c', '<f8'), ('d', '<M8[D]'), ('e', '<U1'), ('f', '<c16')]";
    REQUIRE(convert(dir / "t.csv", dir / "s.npy", {"--dtype=" + type}).status == 0);
    check_round_trip(dir / "s.npy");
}

TEST_CASE("csv has column names only above values, or on request", "[tool][csv]") {
    const temp_dir dir;

    // All of this may as well be text without column names.
    CHECK(read_as(dir, "name\nabc\n").find("(--header yes if the line has column names)") != std::string::npos);
    CHECK(read_as(dir, "id,id\n1,2\n").find("line 1, column 1 is 'id'") != std::string::npos);
    CHECK(read_as(dir, "id,\n1,2\n").find("line 1, column 1 is 'id'") != std::string::npos);
    CHECK(read_as(dir, "id,2020\n1,2\n").find("line 1, column 1 is 'id'") != std::string::npos);
    CHECK(read_as(dir, "name\nabc\n", {"--header=yes"}) == "[('name', '<U3')]");
    CHECK(read_as(dir, "2020,2021\n1,2\n", {"--header=yes"}) == "[('2020', '<i8'), ('2021', '<i8')]");
    CHECK(read_as(dir, "a,b\n", {"--header=yes"}) == "[('a', '<f8'), ('b', '<f8')]");
    CHECK(read_as(dir, "2020,2021\n1,2\n") == "<i8");
    CHECK(read_as(dir, "id,x\n1,2\n", {"--header=no"}).find("line 1, column 1 is 'id'") != std::string::npos);
}

TEST_CASE("csv with column names and a dtype is a table of the dtype", "[tool][csv]") {
    const temp_dir dir;
    const std::string text = "id,value\n1,2\n3,4\n";

    CHECK(read_as(dir, text, {"--dtype=f4", "--header=yes"}) == "<f4");
    CHECK((load<float, 2>(dir / "t.npy") == xt::xtensor<float, 2>{{1, 2}, {3, 4}}));
    CHECK(read_as(dir, text, {"--dtype=U5"}) == "<U5");
    CHECK(inspect(dir / "t.npy").shape == std::vector<std::size_t>{3, 2});
    CHECK(read_as(dir, text, {"--dtype=[('id', '<i4'), ('value', '<f4')]", "--header=yes"}) ==
          "[('id', '<i4'), ('value', '<f4')]");
    CHECK(read_as(dir, text, {"--dtype=[('id', '<i4'), ('values', '<f4')]", "--header=yes"})
              .find("line 1, column 2 is 'value', expected the field name 'values'") != std::string::npos);
    CHECK(read_as(dir, "a\na\n", {"--dtype=[('a', 'S1')]", "--header=no"}) == "[('a', '|S1')]");
    CHECK(inspect(dir / "t.npy").shape == std::vector<std::size_t>{2});
}

TEST_CASE("csv reads missing values as NaN and NaT", "[tool][csv]") {
    const temp_dir dir;

    CHECK(written_for(dir, "1.5,\nNA,N/A\n#N/A,nan\nNULL,null\nNone,\"\"\n") ==
          "1.5,nan\nnan,nan\nnan,nan\nnan,nan\nnan,nan\n");
    CHECK(written_for(dir, "1\n\n3\n") == "1.0\nnan\n3.0\n");
    CHECK(written_for(dir, "1j\n\n2j\n") == "1j\n(nan+0j)\n2j\n");
    CHECK(written_for(dir, "2024-01-02\nNA\n") == "2024-01-02\nNaT\n");
    CHECK(written_for(dir, "5\nNA\n", {"--dtype=m8[s]"}) == "5\nNaT\n");
    CHECK(written_for(dir, "1\nNA\n", {"--dtype=f2"}) == "1.0\nnan\n");
    CHECK(read_as(dir, "n,d,c,t,m\n1,2024-01-02,1j,x,\n,,,,\n") ==
          "[('n', '<f8'), ('d', '<M8[D]'), ('c', '<c16'), ('t', '<U1'), ('m', '<f8')]");
    CHECK(written_for(dir, "n,good,t\n1,True,NA\n2,,x\n") == "n,good,t\n1,True,NA\n2,\"\",x\n");
}

TEST_CASE("csv with missing integers or booleans names the option", "[tool][csv]") {
    const temp_dir dir;
    const std::string hint = "(only floating-point numbers and times can be missing; --dtype float64 reads NaN)";

    CHECK(read_as(dir, "1\nNA\n", {"--dtype=i4"})
              .find("line 2, column 1 is 'NA', expected a value of dtype '<i4' " + hint) != std::string::npos);
    CHECK(read_as(dir, "True,\n").find("line 1, column 2 is empty, expected a value of dtype '|b1' " + hint) !=
          std::string::npos);
    CHECK(read_as(dir, "9007199254740993\nNA\n").find("expected an integer that float64 holds exactly") !=
          std::string::npos);
}

TEST_CASE("csv has other delimiters and a decimal comma by option, both ways", "[tool][csv]") {
    const temp_dir dir;
    const std::vector<std::string> european = {"--delimiter=;", "--decimal=,"};
    const std::string table = "-1,5;1e-07;nan\n2,0;0,25;3,0\n";

    CHECK(read_as(dir, table, european) == "<f8");
    CHECK(load<double, 2>(dir / "t.npy")(0, 0) == -1.5);
    CHECK(written_for(dir, table, european) == table);
    CHECK(written_for(dir, "a;b\n1,5;\"x;y\"\n", european) == "a;b\n1,5;\"x;y\"\n");
    CHECK(written_for(dir, "(1,5+2,5j)\n", european) == "(1,5+2,5j)\n");
    CHECK(written_for(dir, "2024-01-02T03:04:05.5\n", european) == "2024-01-02T03:04:05.500\n");
    CHECK(written_for(dir, "1\t \"2\" \t\n", {"--delimiter=tab"}) == "1.0\t2.0\tnan\n");
    CHECK(written_for(dir, "a|b\n1|\"x|y\"\n", {"--delimiter", "|"}) == "a|b\n1|\"x|y\"\n");
    CHECK(read_as(dir, "1.234,5;2\n", european).find("line 1, column 1 is '1.234,5'") != std::string::npos);
}

TEST_CASE("csv with another delimiter or decimal point names the option", "[tool][csv]") {
    const temp_dir dir;

    CHECK(read_as(dir, "1;2\n3;4\n").find("(--delimiter ';' if semicolons separate the values)") != std::string::npos);
    CHECK(read_as(dir, "a;b\n3;4\n").find("(--delimiter ';' if semicolons separate the values)") != std::string::npos);
    CHECK(read_as(dir, "a;b\n1,5;2\n").find("(--delimiter ';' if semicolons separate the values)") !=
          std::string::npos);
    CHECK(read_as(dir, "1\t2\n").find("(--delimiter tab if tabs separate the values)") != std::string::npos);
    CHECK(read_as(dir, "1,5;2\n", {"--delimiter=;"}).find("(--decimal , reads a decimal comma)") != std::string::npos);
}

TEST_CASE("csv options need csv", "[tool][csv]") {
    const temp_dir dir;
    save(dir / "a.npy", twelve());
    const auto refuses = [&](const std::vector<std::string>& options, const fs::path& to) {
        const auto done = convert(dir / "a.npy", to, options);
        return done.status == 2 && !fs::exists(to);
    };

    CHECK(refuses({"--delimiter=;"}, dir / "b.npy"));
    CHECK(refuses({"--decimal=,", "--delimiter=;"}, dir / "b.npy"));
    CHECK(refuses({"--header=yes"}, dir / "b.csv"));
    CHECK(refuses({"--decimal=,"}, dir / "b.csv"));
    CHECK(refuses({"--delimiter=::"}, dir / "b.csv"));
    CHECK(refuses({"--delimiter="}, dir / "b.csv"));
}

TEST_CASE("csv reads dates with a Z, which stands for UTC", "[tool][csv]") {
    const temp_dir dir;

    CHECK(written_for(dir, "2024-05-06T07:08:09.5Z\n2024-05-06 07:08Z\n") ==
          "2024-05-06T07:08:09.500\n2024-05-06T07:08:00.000\n");
    for (const char* const text : {"2024-05-06Z", "2024-05-06T07Z", "2024-05-06T07:08ZZ", "2024-05-06T07:08+01:00"})
        CHECK(read_as(dir, text).find("expected a value of dtype '<f8'") != std::string::npos);
}

TEST_CASE("csv with one long text among many rows is refused before memory is allocated", "[tool][csv]") {
    const temp_dir dir;
    std::string text = "n,note\n1," + std::string(4000, 'x') + '\n';
    for (int i = 0; i < 4000; ++i)
        text += "1,\n";

    CHECK(read_as(dir, text).find("size of a row is 16008 bytes, expected at most ") != std::string::npos);
    CHECK(read_as(dir, text, {"--dtype=[('n', '<i8'), ('note', '|S4000')]"}) == "[('n', '<i8'), ('note', '|S4000')]");
}

}  // namespace tool_csv_tests
