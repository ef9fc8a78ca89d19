// SPDX-License-Identifier: BSD-3-Clause
// show --between: rows of ordered chunked arrays, found by their keys.
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>

#include <array>
#include <chrono>
#include <limits>
#include <optional>

namespace tool_between_tests {

using namespace ndkeep;
using namespace std::chrono;

struct reading {
    sys_time<milliseconds> time;
    std::int32_t value;
};
NDKEEP_FIELDS(reading, time, value);

namespace {

template <class T>
[[nodiscard]] std::string ordered(const temp_dir& dir, const xt::xtensor<T, 1>& rows, std::string order_by = "") {
    const auto path = dir / "a";
    save_chunked(path, rows, {.rows_per_chunk = 3, .order_by = order_by, .replace_type = true});
    return path.string();
}

[[nodiscard]] std::string between(const std::string& path, const std::string& from, const std::string& to) {
    return output_of("show", {path, "--between", from, to});
}

}  // namespace

TEST_CASE("show --between prints the rows from one key up to another, without it", "[tool][show]") {
    const temp_dir dir;
    const auto path = ordered<std::int64_t>(dir, {-5, 0, 0, 0, 0, 3, 7, 7, 9});

    CHECK(between(path, "0", "7") == "[0 0 0 0 3]\n");
    CHECK(between(path, "-100", "0") == "[-5]\n");
    CHECK(between(path, "7", "100") == "[7 7 9]\n");
    CHECK(between(path, "-5", "9") == "[-5  0  0  0  0  3  7  7]\n");
    CHECK(between(path, "1", "3") == "[]\n");
    CHECK(between(path, "10", "20") == "[]\n");
    CHECK(between(path, "7", "0") == "[]\n");
    CHECK(between(path, "2.5", "7.5") == "[3 7 7]\n");
    CHECK(between(path, "-inf", "18446744073709551615") == "[-5  0  0  0  0  3  7  7  9]\n");
}

TEST_CASE("show --between compares 64-bit integers exactly", "[tool][show]") {
    const temp_dir dir;
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    const auto path = ordered<std::uint64_t>(dir, {0, most - 2, most - 1, most});

    CHECK(between(path, "18446744073709551614", "18446744073709551615") == "[18446744073709551614]\n");
    CHECK(between(path, "-1", "1") == "[0]\n");
}

TEST_CASE("show --between takes a float as it prints", "[tool][show]") {
    const temp_dir dir;
    const auto path = ordered<float>(dir, {0.1F, 0.7F, 1.5F});

    CHECK(between(path, "0.7", "1.5") == "[0.7]\n");
    CHECK(between(path, "0.1", "0.7") == "[0.1]\n");
}

TEST_CASE("show --between takes dates of any precision for keys that are dates", "[tool][show]") {
    const temp_dir dir;
    const auto day = [](int number) { return sys_days(2024y / 5 / number); };
    const auto path = ordered<reading>(
        dir, {{day(1), 1}, {day(1) + hours(9) + milliseconds(1), 2}, {day(2), 3}, {day(31), 4}}, "time");
    const auto values = [&](const std::string& from, const std::string& to) {
        return output_of("show", {path, "--field", "value", "--between", from, to});
    };

    CHECK(values("2024-05-01", "2024-05-02") == "[1 2]\n");
    CHECK(values("2024-05-01T09:00:00.001", "2024-05-31") == "[2 3]\n");
    CHECK(values("2024-05-01T09:00:00.0010001", "2024-05-31T00:00:00.0000001") == "[3 4]\n");
    CHECK(values("2024-05", "2024-06") == "[1 2 3 4]\n");
    CHECK(values("2023", "2024") == "[]\n");
    CHECK(values("2024", "2025") == "[1 2 3 4]\n");
    CHECK(values("1714521600000", "1714521600001") == "[1]\n");
    CHECK(values("-5", "1714521600001") == "[1]\n");
}

TEST_CASE("show --between rounds bounds up to days, and back in time too", "[tool][show]") {
    const temp_dir dir;
    const auto day = [](int number) { return sys_days(1960y / 5 / number); };
    const auto path = ordered<sys_days>(dir, {day(1), day(2), day(3)});

    CHECK(between(path, "1960-05-01T00:00", "1960-05-02T12:00") == "['1960-05-01' '1960-05-02']\n");
    CHECK(between(path, "1960-05-01T12:00", "1960-05-03") == "['1960-05-02']\n");
}

TEST_CASE("slices count from the first row between the bounds", "[tool][show]") {
    const temp_dir dir;
    const auto path = ordered<std::int64_t>(dir, {0, 1, 2, 3, 4, 5, 6, 7});
    const auto sliced = [&](const std::string& slices) {
        return output_of("show", {"--between", "2", "7", path, slices});
    };

    CHECK(sliced("[0]") == "2\n");
    CHECK(sliced("[-1]") == "6\n");
    CHECK(sliced("[::-2]") == "[6 4 2]\n");
    CHECK(run_tool({"show", "--between", "2", "7", path, "[5]"}).warns("index of axis 0 is 5, expected -5 to 4"));
}

TEST_CASE("show --between prints JSON with the number of the first row", "[tool][show]") {
    const temp_dir dir;
    const auto path = ordered<std::int64_t>(dir, {0, 1, 2, 3, 4});

    const auto object = json::parse(output_of("show", {"--json", "--between=1", "4", path, "[1:]"}));

    CHECK(object["first_row"] == 1);
    CHECK(object["rows"] == 3);
    CHECK(object["values"] == json::array({2, 3}));
}

TEST_CASE("show --between finds the same rows as a search of all rows", "[tool][show]") {
    const temp_dir dir;
    xt::xtensor<std::int64_t, 1> rows = xt::xtensor<std::int64_t, 1>::from_shape({60});
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows(i) = static_cast<std::int64_t>(i * i / 40);
    const auto path = ordered<std::int64_t>(dir, rows);

    for (std::int64_t from = -1; from < 90; from += 7)
        for (std::int64_t to = from; to < 90; to += 9) {
            std::string expected;
            for (const auto row : rows)
                if (row >= from && row < to)
                    expected += (expected.empty() ? "" : ",") + std::to_string(row);
            const auto values = json::parse(
                output_of("show", {"--json", path, "--between", std::to_string(from), std::to_string(to)}))["values"];
            CHECK(values.dump() == '[' + expected + ']');
        }
}

TEST_CASE("an option with two values takes the two words behind it", "[tool]") {
    const std::vector<tool::option> known = {{"--between", "FROM TO", ""}, {"--quiet", "", "", 'q'}};
    const std::vector<std::string> line = {"--between", "-1", "--quiet", "a", "--between=3", "4"};

    const tool::arguments given(line, known);

    CHECK(given.words() == std::vector<std::string>{"a"});
    CHECK(given.values("--between") == std::vector<std::string>{"-1", "--quiet", "3", "4"});
    CHECK_FALSE(given.has("--quiet"));
    const std::vector<std::string> lone = {"--between", "1"};
    CHECK(std::string(thrown<tool::usage_error>([&] { (void)tool::arguments(lone, known); }).what()) ==
          "--between has only 1 value, expected --between FROM TO");
    CHECK(run_tool({"completion", "zsh"}).has(":FROM: :TO: '"));
}

}  // namespace tool_between_tests
