// SPDX-License-Identifier: BSD-3-Clause
// stats: counts, ranges, histograms, and the comparison with sidecars.
#include "tool/histogram.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <random>

namespace tool_stats_tests {

using namespace ndkeep;

namespace {

[[nodiscard]] json stats_of(std::vector<std::string> args) {
    args.insert(args.begin(), {"stats", "--json"});
    const auto said = run_tool(args);
    INFO(said.err);
    CHECK(said.status == 0);
    return said.object();
}

}  // namespace

TEST_CASE("stats counts what is no number, and leaves it out", "[tool][stats]") {
    const temp_dir dir;
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {6}, {1, nan, 3, 0, -inf, nan});

    const auto object = stats_of({file, "--bins", "3"});

    CHECK(object["count"] == 6);
    CHECK(object["nan"] == 2);
    CHECK(object["inf"] == 1);
    CHECK(object["zeros"] == 1);
    CHECK(object["min"] == "-Infinity");
    CHECK(object["max"] == 3.0);
    CHECK(object["histogram"]["low"] == 0.0);
    CHECK(object["histogram"]["high"] == 3.0);
    CHECK(object["histogram"]["bins"] == json::array({1, 1, 1}));
}

TEST_CASE("stats knows every kind of number, and counts the rest", "[tool][stats]") {
    const temp_dir dir;
    constexpr auto nat = std::numeric_limits<std::int64_t>::min();
    const auto dates = write_npy<std::int64_t>(dir / "d.npy", "<M8[D]", {3}, {0, nat, 365});
    const auto flags = write_npy<char>(dir / "b.npy", "|b1", {4}, {1, 0, 1, 1});
    const auto swapped = write_npy<std::uint16_t>(dir / "s.npy", ">u2", {2}, {0x0100, 0x0200});
    const auto text = write_npy<char>(dir / "t.npy", "|S1", {2}, {'a', 'b'});
    const auto none = write_npy<double>(dir / "n.npy", "<f8", {0, 3}, {});

    CHECK(stats_of({dates})["min"] == "1970-01-01");
    CHECK(stats_of({dates})["max"] == "1971-01-01");
    CHECK(stats_of({dates})["nan"] == 1);
    CHECK(stats_of({flags})["mean"] == 0.75);
    CHECK(stats_of({flags})["zeros"] == 1);
    CHECK(stats_of({swapped})["max"] == 2);
    CHECK(stats_of({text})["count"] == 2);
    CHECK(stats_of({text})["min"].is_null());
    CHECK(stats_of({none})["count"] == 0);
    CHECK(stats_of({none})["histogram"].is_null());
}

TEST_CASE("stats tells of structs field by field", "[tool][stats]") {
    const auto file = example_data("flights.npz");

    const auto object = stats_of({file});
    const auto text = run_tool({"stats", file});

    REQUIRE(object["fields"].size() == 3);
    CHECK(object["fields"][1]["name"] == "delay");
    CHECK(object["fields"][1]["min"] == -86);
    CHECK(object["fields"][1]["max"] == 1444);
    CHECK(object["fields"][1]["zeros"] == 7930);
    CHECK(text.has("distance  200000"));
}

TEST_CASE("stats are the same with any number of threads, and in any place", "[tool][stats]") {
    const temp_dir dir;
    xt::xtensor<double, 2> numbers = xt::empty<double>({100'000, 4});
    std::mt19937 random(1);
    std::normal_distribution<double> normal;
    for (auto& each : numbers)
        each = normal(random);
    save(dir / "t.npy", numbers);
    save_npz(dir / "a.npz", {{"x", numbers, {.compress = true}}});
    save_chunked(dir / "readings", numbers, {.rows_per_chunk = 999});

    auto one = stats_of({"--threads", "1", (dir / "t.npy").string()});
    auto many = stats_of({"--threads", "4", (dir / "t.npy").string()});
    auto packed = stats_of({(dir / "a.npz:x").string()});
    auto chunked = stats_of({(dir / "readings").string()});

    CHECK(one == many);
    for (const char* const key : {"count", "min", "max", "mean", "std", "histogram"}) {
        INFO(key);
        CHECK(one[key] == packed[key]);
        CHECK(one[key] == chunked[key]);
    }
    const auto& bins = one["histogram"]["bins"];
    CHECK(std::accumulate(bins.begin(), bins.end(), std::size_t{0},
                          [](std::size_t sum, const json& bin) { return sum + bin.get<std::size_t>(); }) == 400'000);
}

TEST_CASE("stats compares with what the sidecar says", "[tool][stats]") {
    const temp_dir dir;
    const auto file = (dir / "t.npy").string();
    save(file, xt::xtensor<double, 1>(xt::arange<double>(12)), {.statistics = true});
    CHECK(stats_of({file})["sidecar"]["agrees"] == true);
    CHECK(run_tool({"stats", file}).has("statistics match"));

    auto bytes = read_text(file);
    const double other = 100;
    std::memcpy(bytes.data() + 128, &other, sizeof other);
    write_text(file, bytes);

    const auto said = run_tool({"stats", "--json", file});
    CHECK(said.status == 1);
    CHECK(said.object()["sidecar"]["agrees"] == false);
    CHECK(!said.object()["problems"].empty());
}

TEST_CASE("stats goes on with the next file", "[tool][stats]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2}, {1, 2});
    write_text(dir / "noise.npy", "no array");

    const auto said = run_tool({"stats", (dir / "noise.npy").string(), file});

    CHECK(said.status == 2);
    CHECK(said.warns("noise.npy"));
    CHECK(said.has("mean        1.5"));
    CHECK(run_tool({"stats", file, "--bins", "0"}).status == 2);
    CHECK(run_tool({"stats", file, "--style", "pretty"}).status == 2);
    CHECK(run_tool({"stats", file, "--style", "blocks"}).has("█"));
    CHECK(!run_tool({"stats", file}).has("█"));
}

TEST_CASE("stats of several files and members has an entry for each", "[tool][stats]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2}, {1, 2});
    save_npz(dir / "a.npz", {{"x", xt::xtensor<int, 1>{3}}, {"y", xt::xtensor<int, 1>{4}}});

    const auto said = run_tool({"stats", "--json", file, (dir / "a.npz").string(), file});

    CHECK(said.status == 0);
    std::istringstream lines(said.out);
    std::vector<double> largest;
    for (std::string line; std::getline(lines, line);)
        largest.push_back(json::parse(line)["max"].get<double>());
    CHECK(largest == std::vector<double>{2, 3, 4, 2});
}

TEST_CASE("stats along an axis has a row for each line of elements", "[tool][stats]") {
    const temp_dir dir;
    std::vector<std::int32_t> numbers(24);
    std::iota(numbers.begin(), numbers.end(), 0);
    for (const auto order : {ndkeep::order::row_major, ndkeep::order::column_major}) {
        const auto file = write_npy(dir / "t.npy", "<i4", {2, 3, 4}, numbers, order);
        const auto array = load<std::int32_t, 3>(file);
        for (std::size_t axis = 0; axis < 3; ++axis) {
            const auto slices = stats_of({"--axis", std::to_string(axis), file})["slices"];
            std::map<std::vector<std::size_t>, std::vector<std::int32_t>> lines;  // in row-major order of the others
            for (std::size_t i = 0; i < 24; ++i) {
                std::vector<std::size_t> index = {i / 12, i / 4 % 3, i % 4};
                const auto value = array(index[0], index[1], index[2]);
                index[axis] = 0;
                lines[index].push_back(value);
            }
            REQUIRE(slices.size() == lines.size());
            std::size_t at = 0;
            for (const auto& [index, line] : lines) {
                const auto& found = slices[at++];
                const double sum = std::accumulate(line.begin(), line.end(), 0.0);
                CHECK(found["count"] == line.size());
                CHECK(found["max"] == *std::max_element(line.begin(), line.end()));
                CHECK(found["mean"].get<double>() == Approx(sum / static_cast<double>(line.size())));
            }
        }
        CHECK(stats_of({"--axis=-1", file})["slices"][4]["slice"] == "[1, 1, :]");
    }
    const auto table = write_npy<double>(dir / "c.npy", "<f8", {2, 2}, {1, -2, 3, 4.5});
    CHECK(run_tool({"stats", "--axis", "0", table}).has("[:, 1]      2  -2.0  4.5  1.25  3.25    0\n"));
    CHECK(stats_of({"--axis=1", write_npy<double>(dir / "e.npy", "<f8", {2, 0}, {})})["slices"][1]["count"] == 0);
}

TEST_CASE("stats along an axis of an array without lines needs no memory for it", "[tool][stats]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {0, 1, 1'000'000'000'000}, {});

    CHECK(stats_of({"--axis=1", file})["slices"].empty());
}

TEST_CASE("stats along an axis reads large tables in blocks", "[tool][stats]") {
    const temp_dir dir;
    xt::xtensor<double, 2> numbers = xt::reshape_view(xt::arange<double>(300'000), {100'000, 3});
    save_npz(dir / "t.npz", {{"x", numbers, {.compress = true}}});

    const auto slices = stats_of({"--axis=0", (dir / "t.npz").string()})["slices"];

    REQUIRE(slices.size() == 3);
    CHECK(slices[2]["count"] == 100'000);
    CHECK(slices[2]["mean"] == 150'000.5);
    CHECK(slices[0]["max"] == 299'997.0);
    CHECK(run_tool({"stats", "--axis=1", (dir / "t.npz").string()}).warns("expected at most 65536"));
}

TEST_CASE("stats along an axis reads wide tables in blocks", "[tool][stats]") {
    const temp_dir dir;
    constexpr std::size_t rows = 70, columns = 60'000;
    const auto file = (dir / "t.npy").string();
    save(file,
         xt::xtensor<std::int32_t, 2>(xt::reshape_view(xt::arange<std::int32_t>(rows * columns), {rows, columns})));

    const auto slices = stats_of({"--axis=0", file})["slices"];

    REQUIRE(slices.size() == columns);
    CHECK(slices[columns - 1]["count"] == rows);
    CHECK(slices[columns - 1]["min"] == columns - 1);
    CHECK(slices[columns - 1]["max"] == rows * columns - 1);
}

TEST_CASE("stats along an axis refuses what has no such axis", "[tool][stats]") {
    const temp_dir dir;
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2}, {1, 2});
    const auto scalar = write_npy<double>(dir / "s.npy", "<f8", {}, {1});

    CHECK(run_tool({"stats", "--axis=1", file}).warns("--axis is 1, expected -1 to 0 (the shape is (2,))"));
    CHECK(run_tool({"stats", "--axis=0", scalar}).warns("expected an array with an axis"));
    CHECK(run_tool({"stats", "--axis=0", example_data("flights.npz")}).warns("expected a plain dtype with --axis"));
    CHECK(run_tool({"stats", "--axis=0", "--bins=3", file}).warns("--axis prints no histogram"));
}

TEST_CASE("stats prints NaN without a sign", "[tool][stats]") {
    const temp_dir dir;
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2}, {inf, -inf});

    const auto said = run_tool({"stats", file});

    CHECK(said.has("mean        nan\n"));
    CHECK_FALSE(said.has("-nan"));
}

TEST_CASE("a growing histogram does not depend on the order of its numbers", "[tool][stats]") {
    std::mt19937 random(2);
    std::vector<double> numbers;
    for (int i = 0; i < 3000; ++i) {
        const double unit = std::uniform_real_distribution<double>(-1, 1)(random);
        numbers.push_back(std::ldexp(unit, static_cast<int>(random() % 40)));
    }
    numbers.insert(numbers.end(), {0.0, -0.0, 5e-324, 1.0, 1.0});
    const auto counted = [&] {
        tool::growing_histogram parts[3];
        for (std::size_t i = 0; i < numbers.size(); ++i)
            parts[i % 3].add(numbers[i]);
        parts[1].merge(parts[2]);
        parts[0].merge(parts[1]);
        const auto [low, high] = parts[0].range();
        return parts[0].bins(37, low, high);
    };

    const auto once = counted();
    std::shuffle(numbers.begin(), numbers.end(), random);

    CHECK(counted() == once);
    CHECK(std::accumulate(once.begin(), once.end(), std::uint64_t{0}) == numbers.size());
}

TEST_CASE("a growing histogram is exact for integers, and holds all doubles", "[tool][stats]") {
    tool::growing_histogram dice;
    for (int i = 0; i < 60; ++i)
        dice.add(1 + i % 6);
    CHECK(dice.bins(6, 1, 6) == std::vector<std::uint64_t>(6, 10));

    tool::growing_histogram wide;
    for (const double number : {-std::numeric_limits<double>::max(), std::numeric_limits<double>::max(), 1e-300, 0.0})
        wide.add(number);
    const auto [low, high] = wide.range();
    CHECK(wide.bins(3, low, high) == std::vector<std::uint64_t>{1, 2, 1});
    tool::growing_histogram merged;
    merged.merge(wide);
    CHECK(merged.range() == wide.range());
    CHECK(merged.bins(3, low, high) == std::vector<std::uint64_t>{1, 2, 1});

    tool::growing_histogram constant;
    constant.add(3);
    CHECK(constant.bins(2, 3, 3) == std::vector<std::uint64_t>{1, 0});
}

TEST_CASE("stats says which number of bins it takes", "[tool][stats]") {
    CHECK(run_tool({"stats", "--bins=0", example_data("seattle_hourly.npy")})
              .warns("--bins is '0', expected an integer from 1 to 1024"));
}

TEST_CASE("stats counts the least and the largest double", "[tool][stats]") {
    const temp_dir dir;
    constexpr double largest = std::numeric_limits<double>::max();
    const auto file = write_npy<double>(dir / "t.npy", "<f8", {2}, {-largest, largest});

    CHECK(stats_of({file, "--bins", "2"})["histogram"]["bins"] == json::array({1, 1}));
}

}  // namespace tool_stats_tests
