// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: output of info, ls and tree, and errors for wrong command lines.
#include "tool/arguments.hpp"
#include "tool/output.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>
#include <ndkeep/tree.hpp>

#include <array>

#include <sys/stat.h>  // mkfifo

namespace tool_info_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

const fs::path data = fs::path(NDKEEP_SOURCE_DIR) / "examples/data";

}  // namespace

TEST_CASE("info says what the header of an npy file says", "[tool]") {
    const auto file = (data / "seattle_hourly.npy").string();

    const auto text = run_tool({"info", file});
    const auto object = run_tool({"info", "--json", file}).object();

    CHECK(text.status == 0);
    CHECK(text.err.empty());
    CHECK(text.has("npy 1.0"));
    CHECK(text.has("float32  '<f4'"));
    CHECK(text.has("(8759, 3)"));
    CHECK(text.has("105108 bytes (102.6 KiB)"));
    CHECK(object["dtype"] == "<f4");
    CHECK(object["byte_order"] == "little-endian");
    CHECK(object["shape"] == json::array({8759, 3}));
    CHECK(object["order"] == "C");
    CHECK(object["nbytes"] == 105108);
    CHECK(object["stored_nbytes"] == 105236);
    CHECK(object["data_offset"] == 128);
    CHECK(object["maps"] == true);
    CHECK(object["sidecar"]["state"] == "none");
    CHECK(object["problems"].empty());
}

TEST_CASE("info is the command when the first word is a file", "[tool]") {
    const auto file = (data / "seattle_hourly.npy").string();

    CHECK(run_tool({file}).out == run_tool({"info", file}).out);
    CHECK(run_tool({"--json", file}).out == run_tool({"info", "--json", file}).out);
}

TEST_CASE("info judges a sidecar without reading the data", "[tool]") {
    temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = {{"units", "kelvin"}}, .sum = checksum::crc32, .statistics = true});
    const auto state = [&] { return run_tool({"--json", file.string()}).object()["sidecar"]["state"]; };

    const auto object = run_tool({"--json", file.string()}).object();
    CHECK(object["sidecar"]["state"] == "current");
    CHECK(object["sidecar"]["metadata"]["units"] == "kelvin");
    CHECK(object["sidecar"]["checksums"].contains("crc32"));
    CHECK(object["sidecar"]["statistics"]["max"] == 11.0);

    fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1));
    CHECK(state() == "unconfirmed");

    const auto sidecar = read_text(sidecar_path(file));
    save(file, xt::xtensor<double, 1>(xt::zeros<double>({5})));
    write_text(sidecar_path(file), sidecar);
    CHECK(state() == "stale");
    CHECK(run_tool({file.string()}).status == 1);

    write_text(sidecar_path(file), R"({"ndkeep": "sidecar/1", )");
    CHECK(state() == "damaged");
    CHECK(run_tool({file.string()}).status == 1);
}

TEST_CASE("info tells what a sidecar describes, and a raw file by its sidecar", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve(), {.sum = checksum::crc32});

    const auto sidecar = run_tool({"--json", (dir / "t.npy.json").string()}).object();
    CHECK(sidecar["format"] == "sidecar");
    CHECK(sidecar["state"] == "current");
    CHECK(sidecar["shape"] == json::array({3, 4}));

    write_text(dir / "t.dat", read_text(dir / "t.npy").substr(128));
    fs::rename(dir / "t.npy.json", dir / "t.dat.json");
    const auto raw = run_tool({"--json", (dir / "t.dat").string()}).object();
    CHECK(raw["format"] == "raw");
    CHECK(raw["dtype"] == "<f8");
    CHECK(raw["data_offset"] == 0);
    CHECK(raw["sidecar"]["state"] == "unconfirmed");

    fs::remove(dir / "t.dat");
    const auto alone = run_tool({(dir / "t.dat.json").string()});
    CHECK(alone.status == 1);
    CHECK(alone.has("the described file is missing"));
}

TEST_CASE("info lists the members of an archive, its metadata and its tree", "[tool]") {
    temp_dir dir;
    save_npz(dir / "a.npz", {{"x", twelve()}, {"y", twelve()}}, {.compress = true, .meta = {{"run", 7}}});
    const tree whole = {{"site", {{"values", twelve()}, {"created", "2023-01-20"}}}};
    save_tree(dir / "tree.npz", whole);

    const auto archive = run_tool({"--json", (dir / "a.npz").string()}).object();
    const auto drawn = run_tool({(dir / "tree.npz").string()});

    CHECK(archive["format"] == "npz");
    CHECK(archive["members"][0]["name"] == "x");
    CHECK(archive["members"][1]["method"] == "deflate");
    CHECK(archive["metadata"]["run"] == 7);
    CHECK(drawn.status == 0);
    CHECK(drawn.has("values  float64 (3, 4)"));
    CHECK(drawn.has("created  \"2023-01-20\""));
}

TEST_CASE("info describes the member that is named", "[tool]") {
    const temp_dir dir;
    const auto file = (dir / "a.npz").string();
    save_npz(dir / "a.npz", {{"x", twelve()}, {"y", twelve()}}, {.compress = true, .meta = {{"run", 7}}});

    const auto text = run_tool({file + ":y"});
    const auto object = run_tool({"info", "--json", file + ":y.npy"}).object();

    CHECK(text.status == 0);
    CHECK(text.out.starts_with(file + ":y\n"));
    CHECK(text.has("npy 1.0, a member of an archive"));
    CHECK(text.has("(3, 4)"));
    CHECK(object["file"] == file);
    CHECK(object["member"] == "y");
    CHECK(object["dtype"] == "<f8");
    CHECK(object["nbytes"] == 96);
    CHECK(object["method"] == "deflate");
    CHECK(object["maps"] == false);
    CHECK(run_tool({"info", file + ":metadata.json"}).has("not an array, a member of an archive"));
}

TEST_CASE("info lists the first and last of many members, and all on request", "[tool]") {
    const temp_dir dir;
    const auto file = (dir / "a.npz").string();
    npz_writer archive(dir / "a.npz");
    for (int i = 100; i < 400; ++i)
        archive.add("m" + std::to_string(i), xt::xtensor<int, 1>{i});
    archive.commit();

    const auto some = run_tool({file});
    const auto all = run_tool({"info", "--all", file});

    CHECK(some.has("300, the first 20 and the last 20 are listed (--all lists all)"));
    CHECK(some.has("m119 "));
    CHECK(some.has("\n    ...\n    m380 "));
    CHECK(some.has("m399 "));
    CHECK_FALSE(some.has("m120 "));
    CHECK_FALSE(some.has("m379 "));
    CHECK(all.has("members     300\n"));
    CHECK(all.has("m120 "));
    CHECK_FALSE(all.has("..."));
    CHECK(run_tool({"--json", file}).object()["members"].size() == 300);
}

TEST_CASE("info lists the first and last of many fields", "[tool]") {
    const temp_dir dir;
    std::string descr = "[";
    for (int i = 100; i < 150; ++i)
        descr += "('f" + std::to_string(i) + "', '|u1'), ";
    const auto file = write_npy<char>(dir / "t.npy", descr + "]", {0}, {});

    const auto some = run_tool({file});

    CHECK(some.has("50, the first 20 and the last 20 are listed (--all lists all); 50 bytes"));
    CHECK(some.has("\n    ...\n    f130 "));
    CHECK(run_tool({"info", "--all", file}).has("50 in 50 bytes"));
}

TEST_CASE("info draws 40 values of a tree and counts the others", "[tool]") {
    temp_dir dir;
    tree whole, many;
    for (int i = 0; i < 30; ++i)
        whole["first"].push_back(1);
    for (int i = 0; i < 50; ++i)
        whole["key" + std::to_string(i)] = i;
    for (int i = 0; i < 20'000; ++i)
        many["values"].push_back(1);
    save_tree(dir / "t.npz", whole);
    save_tree(dir / "long.npz", many);

    const auto drawn = run_tool({(dir / "t.npz").string()});
    CHECK(drawn.has("tree        51 values"));
    CHECK(drawn.has("key8  8"));
    CHECK(!drawn.has("key9"));
    CHECK(drawn.has("41 more"));
    CHECK(drawn.has("--all draws all values"));
    CHECK(run_tool({"info", "--all", (dir / "t.npz").string()}).has("key49"));
    CHECK_FALSE(run_tool({"info", "--all", "--json", (dir / "long.npz").string()}).has("left_out"));
    const auto object = run_tool({"--json", (dir / "long.npz").string()}).object();
    CHECK(object["tree"][0]["children"].size() == 9'999);
    CHECK(object["tree"][0]["left_out"] == 10'001);
    CHECK(run_tool({"tree", (dir / "t.npz").string()}).has("key49"));
}

TEST_CASE("info counts the chunks and commits of a chunked array", "[tool]") {
    temp_dir dir;
    save_chunked(dir / "readings", twelve(), {.rows_per_chunk = 2, .sum = checksum::crc32c});

    const auto text = run_tool({(dir / "readings").string()});
    const auto object = run_tool({"--json", (dir / "readings").string()}).object();

    CHECK(text.has("2 of 2 rows, the last of 1"));
    CHECK(object["shape"] == json::array({3, 4}));
    CHECK(object["chunks"] == 2);
    CHECK(object["commits"] == 1);
    CHECK(object["checksum"] == "crc32c");
}

TEST_CASE("info says what is wrong with a file that is cut short", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve());
    fs::resize_file(dir / "t.npy", 150);

    const auto cut = run_tool({"--json", (dir / "t.npy").string()});

    CHECK(cut.status == 1);
    CHECK(cut.object()["problems"].size() == 1);
    CHECK(cut.object()["maps"] == false);
}

TEST_CASE("info refuses what is no array with the library's error, and goes on", "[tool]") {
    temp_dir dir;
    write_text(dir / "noise", "no array");
    write_text(dir / "empty.npy", "");
    fs::create_directory(dir / "folder");
    REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
    save(dir / "t.npy", twelve());

    for (const char* const name : {"noise", "empty.npy", "folder", "pipe", "missing"}) {
        const auto one = run_tool({"info", (dir / name).string(), (dir / "t.npy").string()});
        INFO(name);
        CHECK(one.status == 2);
        CHECK(one.err.starts_with("ndkeep: " + (dir / name).string() + ": "));
        CHECK(one.has("float64"));
    }
}

TEST_CASE("no file name reaches the terminal as a command", "[tool]") {
    temp_dir dir;
    const auto is_obeyed = [](const std::string& text) {
        return text.find_first_of("\x1b\x7f") != std::string::npos || text.find("\xc2\x9b") != std::string::npos;
    };
    for (const char* const name : {"red\x1b[31m", "red\xc2\x9b\x7f"}) {
        const auto file = dir / (std::string(name) + ".npy");
        const auto archive = dir / (std::string(name) + ".npz");
        save(file, twelve(), {.sum = checksum::crc32});
        save_npz(archive, {{name, twelve()}}, {.meta = {{name, name}}, .sum = checksum::crc32});

        for (const std::string command : {"info", "ls", "tree", "show", "stats", "verify", "meta"})
            for (const auto& each : {file, archive}) {
                INFO(command << ' ' << each);
                CHECK(!is_obeyed(run_tool({command, each.string()}).out));
                CHECK(!is_obeyed(run_tool({command, "--json", each.string()}).out));
                CHECK(!is_obeyed(run_tool({command, each.string() + "no such"}).err));
            }
        CHECK(!is_obeyed(run_tool({"diff", file.string(), archive.string()}).out));
        CHECK(run_tool({"--json", file.string()}).object()["file"] == file.string());
    }
    CHECK(!is_obeyed(run_tool({"ls", dir.path().string()}).out));
}

TEST_CASE("every file of the golden ones is told of or refused", "[tool]") {
    const auto golden = fs::path(NDKEEP_SOURCE_DIR) / "tests/golden";
    for (const auto& entry : fs::directory_iterator(golden / "good")) {
        INFO(entry.path());
        CHECK(run_tool({"info", entry.path().string()}).status == 0);
    }
    for (const auto& entry : fs::directory_iterator(golden / "bad")) {
        const auto one = run_tool({"info", entry.path().string()});
        // A header that is only too long is read, as by `describe`.
        const bool is_fine = entry.path().stem() == "header_long";
        INFO(entry.path());
        CHECK((one.status == 0) == is_fine);
        CHECK((one.status != 2 || one.err.starts_with("ndkeep: ")));
    }
}

TEST_CASE("ls lists the arrays of a folder and of an archive", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve());
    save_npz(dir / "a.npz", {{"g/x", twelve()}});
    write_text(dir / "notes.txt", "no array");

    const auto folder = run_tool({"ls", "--json", dir.path().string()}).object();
    const auto archive = run_tool({"ls", "--bytes", (dir / "a.npz").string()});

    REQUIRE(folder["entries"].size() == 2);
    CHECK(folder["entries"][0]["name"] == "a.npz");
    CHECK(folder["entries"][1]["shape"] == json::array({3, 4}));
    CHECK(archive.has("g/x"));
    CHECK(archive.has("100.0 %"));
}

TEST_CASE("tree draws a group once, wherever its members are in the archive", "[tool]") {
    const temp_dir dir;
    const xt::xtensor<int, 1> one{1};
    save_npz(dir / "t.npz", {{"g/x", one}, {"a", one}, {"g/h/y", one}, {"h/z", one}, {"g/h/w", one}});

    const auto root = run_tool({"tree", "--json", (dir / "t.npz").string()}).object();

    const auto names_of = [](const json& node, const char* children) {
        std::vector<std::string> names;
        for (const auto& each : node[children])
            names.push_back(each["name"].get<std::string>());
        return names;
    };
    REQUIRE(names_of(root, "entries") == std::vector<std::string>{"g", "a", "h"});
    const auto& group = root["entries"][0];
    CHECK(group["nbytes"] == 12);
    REQUIRE(names_of(group, "children") == std::vector<std::string>{"x", "h"});
    CHECK(names_of(group["children"][1], "children") == std::vector<std::string>{"y", "w"});
}

TEST_CASE("tree draws groups down to a depth", "[tool]") {
    temp_dir dir;
    fs::create_directory(dir / "inner");
    save_npz(dir / "inner/a.npz", {{"g/x", twelve()}, {"g/y", twelve()}});

    const auto full = run_tool({"tree", dir.path().string()});
    const auto shallow = run_tool({"tree", "--depth=2", dir.path().string()});

    CHECK(full.has("g  group, 192 B"));
    CHECK(full.has("y  float64 (3, 4)"));
    CHECK(shallow.has("a.npz"));
    CHECK(!shallow.has("float64"));
}

TEST_CASE("every command has help with an example", "[tool]") {
    CHECK(run_tool({"--help"}).status == 0);
    CHECK(run_tool({"--version"}).out.starts_with("ndkeep 0."));
    CHECK(run_tool({}).status == 2);
    for (const auto& command : tool::commands()) {
        const std::string name(command.name);
        INFO(name);
        CHECK(run_tool({"--help"}).has("  " + name + ' '));
        const auto help = run_tool({name, "--help"});
        CHECK(help.status == 0);
        CHECK(help.has("usage: ndkeep " + name + ' '));
        CHECK(help.has("example:\n  ndkeep " + name));
        CHECK(run_tool({"help", name}).out == help.out);
    }
}

TEST_CASE("a command line that is not understood is an error that names what was meant", "[tool]") {
    const auto command = run_tool({"ifno", "x"});
    CHECK(command.status == 2);
    CHECK(command.out.empty());
    CHECK(command.err.find("did you mean info?") != std::string::npos);

    const auto option = run_tool({"info", "--jsno", "x"});
    CHECK(option.status == 2);
    CHECK(option.err.find("unknown option --jsno (did you mean --json?)") != std::string::npos);

    CHECK(run_tool({"info"}).status == 2);
    CHECK(run_tool({"tree", "--depth"}).status == 2);
    CHECK(run_tool({"tree", "--depth", "many"}).status == 2);
    CHECK(run_tool({"info", "--json=yes", "x"}).status == 2);
    CHECK(run_tool({"info", "--color", "green", "x"}).status == 2);
}

TEST_CASE("options are read wherever they stand, and nothing behind two hyphens is one", "[tool]") {
    const std::vector<tool::option> known = {{"--size", "N", ""}, {"--quiet", "", "", 'q'}, {"--level", "N", "", 'l'}};
    const std::vector<std::string> line = {"a", "--size", "-3", "-ql9", "-", "--size=4", "--", "--quiet"};

    const tool::arguments given(line, known);

    CHECK(given.words() == std::vector<std::string>{"a", "-", "--quiet"});
    CHECK(given.has("--quiet"));
    CHECK(given.number("--size", 0) == 4);
    CHECK(given.values("--size") == std::vector<std::string>{"-3", "4"});
    CHECK(given.number("--level", 1.5) == 9);
    CHECK(given.number("--other", 1.5) == 1.5);
}

TEST_CASE("sizes are exact in bytes and short in units", "[tool]") {
    CHECK(tool::human_bytes(0) == "0 B");
    CHECK(tool::human_bytes(1023) == "1023 B");
    CHECK(tool::human_bytes(1024) == "1.0 KiB");
    CHECK(tool::human_bytes(1048575) == "1.0 MiB");
    CHECK(tool::full_bytes(105236) == "105236 bytes (102.8 KiB)");
    CHECK(tool::full_bytes(1) == "1 byte");
}

TEST_CASE("Ctrl-C is the status 130, and no message", "[tool]") {
    tool::interrupted() = true;
    const auto stopped = run_tool({(data / "seattle_hourly.npy").string()});
    tool::interrupted() = false;

    CHECK(stopped.status == 130);
    CHECK(stopped.out.empty());
    CHECK(stopped.err.empty());
}

TEST_CASE("an output that cannot be written is an error", "[tool]") {
    std::ostringstream out, err;
    out.setstate(std::ios::badbit);

    CHECK(tool::run({"--version"}, out, err) == 2);
    CHECK(err.str() == "ndkeep: cannot write the output\n");
}

TEST_CASE("tree gives JSON the very text of a string", "[tool]") {
    temp_dir dir;
    const tree whole = {{"note", "a\tb"}};
    save_tree(dir / "tree.npz", whole);

    const auto said = run_tool({"tree", "--json", (dir / "tree.npz").string()}).object();

    CHECK(said["entries"][0]["value"] == "a\tb");
}

}  // namespace tool_info_tests
