// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: metadata read and changed by JSON pointers.
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

namespace tool_meta_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// One file of each kind, without metadata.
[[nodiscard]] std::vector<std::string> one_of_each(const temp_dir& dir) {
    save(dir / "t.npy", twelve());
    save_npz(dir / "a.npz", {{"x", twelve()}});
    save_chunked(dir / "c", twelve(), {.rows_per_chunk = 2});
    REQUIRE(run_tool({"convert", "-q", (dir / "t.npy").string(), (dir / "t.raw").string()}).status == 0);
    return {(dir / "t.npy").string(), (dir / "a.npz").string(), (dir / "c").string(), (dir / "t.raw").string()};
}

}  // namespace

TEST_CASE("meta sets, gets and deletes in every kind of file", "[tool]") {
    temp_dir dir;
    for (const auto& file : one_of_each(dir)) {
        INFO(file);
        CHECK(run_tool({"meta", file}).out == "{}\n");
        CHECK(run_tool({"meta", file, "set", "/site", R"({"name": "A7", "levels": [1, 2.5]})"}).status == 0);
        CHECK(run_tool({"meta", file, "set", "/units", "kelvin"}).status == 0);
        CHECK(run_tool({"meta", file, "set", "/site/levels/-", "true"}).status == 0);
        CHECK(run_tool({"meta", file, "get", "/site/levels/1"}).out == "2.5\n");
        CHECK(run_tool({"meta", file, "get", "/units"}).out == "kelvin\n");
        CHECK(run_tool({"meta", "--json", file, "get", "/units"}).out == "\"kelvin\"\n");
        CHECK(run_tool({"meta", file, "delete", "/site/levels/0"}).status == 0);
        CHECK(run_tool({"meta", file, "delete", "/units"}).status == 0);
        CHECK(run_tool({"meta", "--json", file}).object() ==
              json({{"site", {{"name", "A7"}, {"levels", {2.5, true}}}}}));
        CHECK(run_tool({"verify", "-q", file}).status == 0);
        CHECK(run_tool({"meta", file, "delete", ""}).status == 0);
        CHECK(run_tool({"meta", file}).out == "{}\n");
    }
}

TEST_CASE("meta leaves the arrays as they are", "[tool]") {
    temp_dir dir;
    (void)one_of_each(dir);
    const auto before = read_text(dir / "t.npy");

    CHECK(run_tool({"meta", (dir / "t.npy").string(), "set", "/a", "1"}).status == 0);
    CHECK(run_tool({"meta", (dir / "c").string(), "set", "/a", "1"}).status == 0);
    CHECK(run_tool({"meta", (dir / "a.npz").string(), "set", "/a", "1"}).status == 0);

    CHECK(read_text(dir / "t.npy") == before);
    CHECK(inspect_chunked(dir / "c").chunks.size() == 2);
    CHECK((npz_reader(dir / "a.npz").load<double, 2>("x") == twelve()));
}

TEST_CASE("meta prints what is in a file by its sidecar too, on lines that people read", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve(), {.meta = {{"b", {1, "two"}}, {"a", json::object()}}});

    const auto text = run_tool({"meta", (dir / "t.npy.json").string()});

    CHECK(text.out == "{\n  \"a\": {},\n  \"b\": [\n    1,\n    \"two\"\n  ]\n}\n");
}

TEST_CASE("meta refuses pointers that lead nowhere, and changes nothing", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npy").string();
    save(file, twelve(), {.meta = {{"units", "kelvin"}, {"levels", {1, 2}}}});
    const auto before = read_text(dir / "t.npy.json");
    const auto fails = [&](const std::vector<std::string>& words) {
        std::vector<std::string> line = {"meta", file};
        line.insert(line.end(), words.begin(), words.end());
        return run_tool(line).status == 2;
    };

    CHECK(fails({"get", "/nothing"}));
    CHECK(fails({"get", "/levels/7"}));
    CHECK(fails({"get", "/levels/x"}));
    CHECK(fails({"get", "no pointer"}));
    CHECK(fails({"set", "/units/x", "1"}));
    CHECK(fails({"set", "/levels/x", "1"}));
    CHECK(fails({"set", "/levels/01", "1"}));
    CHECK(fails({"set", "/levels/2", "1"}));
    CHECK(fails({"set", "/levels/100000000", "1"}));
    CHECK(fails({"set", "/new/100000000", "1"}));
    CHECK(fails({"set", "/levels/-/7", "1"}));
    CHECK(fails({"set", "", "1"}));
    CHECK(fails({"set", "/x"}));
    CHECK(fails({"delete", "/nothing"}));
    CHECK(fails({"delete", "/levels/-"}));
    CHECK(fails({"remove", "/units"}));
    CHECK(read_text(dir / "t.npy.json") == before);

    CHECK(run_tool({"meta", file, "gte"}).warns("did you mean get?"));
    CHECK(run_tool({"meta", file, "set", "/x", "\xff"}).warns("VALUE is '\\xff', expected UTF-8 text"));
    save_npz(dir / "a.npz", {{"x", twelve()}});
    CHECK(run_tool({"meta", (dir / "a.npz").string(), "set", "/ndkeep", "1"}).status == 2);
}

TEST_CASE("meta refuses a stale sidecar, and Ctrl-C", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npy").string();
    save(file, twelve(), {.meta = {{"units", "kelvin"}}});
    const auto sidecar = read_text(dir / "t.npy.json");
    save(file, xt::xtensor<double, 1>{1, 2});
    write_text(dir / "t.npy.json", sidecar);

    CHECK(run_tool({"meta", file}).status == 2);
    CHECK(run_tool({"meta", file, "set", "/a", "1"}).status == 2);

    save_npz(dir / "a.npz", {{"x", twelve()}});
    const auto before = read_text(dir / "a.npz");
    tool::interrupted() = true;
    CHECK(run_tool({"meta", (dir / "a.npz").string(), "set", "/a", "1"}).status == 130);
    tool::interrupted() = false;
    CHECK(read_text(dir / "a.npz") == before);
}

TEST_CASE("meta makes lists that grow from their beginning", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npy").string();
    save(file, twelve());

    CHECK(run_tool({"meta", file, "set", "/new/-", "1"}).status == 0);
    CHECK(run_tool({"meta", file, "set", "/new/0", "2"}).status == 0);
    CHECK(run_tool({"meta", file, "set", "/years", "{}"}).status == 0);
    CHECK(run_tool({"meta", file, "set", "/years/2024", "3"}).status == 0);
    CHECK(metadata(file) == json({{"new", {2}}, {"years", {{"2024", 3}}}}));
}

TEST_CASE("meta prints nothing that a terminal would obey", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve(), {.meta = {{"a\u009b", {"\u202eb", "\x7f"}}}});

    const auto text = run_tool({"meta", (dir / "t.npy").string()});

    CHECK(text.out == "{\n  \"a\\u009b\": [\n    \"\\u202eb\",\n    \"\\u007f\"\n  ]\n}\n");
}

}  // namespace tool_meta_tests
