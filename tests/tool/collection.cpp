// SPDX-License-Identifier: BSD-3-Clause
// ls of collections: folders of chunked arrays at any depth.
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npz.hpp>

#include <chrono>
#include <fstream>

namespace tool_collection_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;
using numbers = xt::xtensor<double, 1>;

void put(const fs::path& folder, const numbers& rows, std::optional<std::string> order_by = {}) {
    fs::create_directories(folder.parent_path());
    save_chunked(folder, rows, {.rows_per_chunk = 2, .order_by = order_by, .commit = {.sync = false}});
}

/// Arrays of two markets, and names that belong to none of them.
void make_prices(const fs::path& prices) {
    put(prices / "xnas/AAPL/10", {1, 2.5, 4}, "");
    put(prices / "xnas/AAPL/9", {7}, "");
    put(prices / "xnys/IBM/1", {3, 2, 1});
    write_text(prices / "notes.txt", "text");
    write_text(prices / "xnas/list.npy", "text");
    fs::create_directories(prices / "xnas/old/deep");
    write_text(prices / ".hidden", "text");
}

}  // namespace

TEST_CASE("ls lists a collection as a table of keys", "[tool]") {
    const temp_dir dir;
    make_prices(dir / "prices");

    CHECK(output_of("ls", {(dir / "prices").string()}) ==
          "key           dtype  rows  first  last  bytes\n"
          "xnas/AAPL/9   <f8       1  7.0    7.0     8 B\n"
          "xnas/AAPL/10  <f8       3  1.0    4.0    24 B\n"
          "xnys/IBM/1    <f8       3  -      -      24 B\n"
          "not of the collection: notes.txt, xnas/list.npy, xnas/old/\n");
    CHECK(output_of("ls", {"--bytes", (dir / "prices/xnas/AAPL").string()}) ==
          "key  dtype  rows  first  last  bytes\n"
          "9    <f8       1  7.0    7.0       8\n"
          "10   <f8       3  1.0    4.0      24\n");
}

TEST_CASE("ls prints a collection as JSON with keys in parts", "[tool]") {
    const temp_dir dir;
    make_prices(dir / "prices");

    const auto object = json::parse(output_of("ls", {"--json", (dir / "prices").string()}));

    CHECK(object["kind"] == "collection");
    CHECK(object["nbytes"] == 56);
    REQUIRE(object["entries"].size() == 3);
    const auto& second = object["entries"][1];
    CHECK(second["name"] == "xnas/AAPL/10");
    CHECK(second["key"] == json::array({"xnas", "AAPL", "10"}));
    CHECK(second["dtype"] == "<f8");
    CHECK(second["rows"] == 3);
    CHECK(second["order_by"] == "");
    CHECK(second["first"] == 1.0);
    CHECK(second["last"] == 4.0);
    CHECK_FALSE(object["entries"][2].contains("first"));
    CHECK(object["foreign"] == json::array({"notes.txt", "xnas/list.npy", "xnas/old/"}));
}

TEST_CASE("ls prints the first and last date of a collection in ISO 8601", "[tool]") {
    using namespace std::chrono;
    const temp_dir dir;
    fs::create_directory(dir / "days");
    save_chunked(dir / "days/a", xt::xtensor<sys_days, 1>{sys_days(2026y / 1 / 2), sys_days(2026y / 3 / 4)},
                 {.order_by = ""});

    const auto object = json::parse(output_of("ls", {"--json", (dir / "days").string()}));

    CHECK(run_tool({"ls", (dir / "days").string()}).has("2026-01-02  2026-03-04"));
    CHECK(object["entries"][0]["first"] == "2026-01-02");
    CHECK(object["entries"][0]["last"] == "2026-03-04");
}

TEST_CASE("ls reports the arrays of a collection that cannot be read, and lists the others", "[tool]") {
    const temp_dir dir;
    make_prices(dir / "prices");
    for (const auto& entry : fs::directory_iterator(dir / "prices/xnas/AAPL/9/commits"))
        write_text(entry.path(), "damaged");

    const auto text = run_tool({"ls", (dir / "prices").string()});
    const auto object = run_tool({"ls", "--json", (dir / "prices").string()}).object();

    CHECK(text.status == 1);
    CHECK(text.has("xnas/AAPL/9   -         -  -      -       0 B  <- "));
    CHECK(text.has("xnas/AAPL/10  <f8       3"));
    CHECK(object["entries"][0].contains("problem"));
    CHECK_FALSE(object["entries"][0].contains("rows"));
    CHECK_FALSE(object["entries"][1].contains("problem"));
}

TEST_CASE("ls takes chunked arrays beside other arrays or folders for no collection", "[tool]") {
    const temp_dir dir;
    put(dir / "mixed/a", {1});
    save_npz(dir / "mixed/b.npz", {{"x", numbers{1}}});
    put(dir / "project/data", {1});
    fs::create_directories(dir / "project/source");
    fs::create_directories(dir / "none/inner");

    const auto mixed = json::parse(output_of("ls", {"--json", (dir / "mixed").string()}));

    CHECK(mixed["kind"] == "folder");
    CHECK(mixed["entries"].size() == 2);
    CHECK(json::parse(output_of("ls", {"--json", (dir / "project").string()}))["kind"] == "folder");
    CHECK(run_tool({"ls", (dir / "none").string()}).warns("no arrays found"));
}

TEST_CASE("ls does not follow links in collections to folders, and so ends", "[tool]") {
    const temp_dir dir;
    make_prices(dir / "prices");
    fs::create_directory_symlink(dir / "prices", dir / "prices/up");

    const auto object = json::parse(output_of("ls", {"--json", (dir / "prices").string()}));

    CHECK(object["entries"].size() == 3);
    CHECK(object["foreign"].size() == 4);
}

TEST_CASE("ls lists some foreign names and counts the others", "[tool]") {
    const temp_dir dir;
    put(dir / "prices/a/b", {1});
    for (int i = 10; i < 35; ++i)
        write_text(dir / ("prices/note" + std::to_string(i)), "text");

    const auto text = output_of("ls", {(dir / "prices").string()});

    CHECK(text.ends_with("note28, note29, and 5 more\n"));
}

}  // namespace tool_collection_tests
