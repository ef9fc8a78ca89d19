// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: pickles, and npy files of objects. The golden pickles are those of tests/pickle/golden.cpp.
#include "support/python.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/npz.hpp>
#include <ndkeep/pickle.hpp>
#include <ndkeep/tree.hpp>

namespace tool_pickle_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

[[nodiscard]] fs::path golden(const std::string& name) { return fs::path(NDKEEP_TEST_DATA) / "pickles" / name; }

/// Arrays, other values, and a key with a slash.
[[nodiscard]] tree trial() {
    return {{"site", "Aarhus"},
            {"runs",
             {{{"name", "first"}, {"depths", xt::xtensor<double, 1>{1.5, 2, 3}}},
              {{"name", "second"}, {"depths", xt::xtensor<double, 1>{4.5, 5, 6}}}}},
            {"a/b", {{"c", 7}}},
            {"flags", tree::list({true, nullptr})},
            {"counts", xt::xtensor<std::int64_t, 2>{{1, 2, 3}, {4, 5, 6}}}};
}

[[nodiscard]] std::string save_trial(const fs::path& file) {
    save_pickle(file, trial());
    return file.string();
}

/// A pickle that calls a function when Python reads it.
[[nodiscard]] std::string pickle_of_class() {
    return "\x80\x02" + std::string("cposix\nsystem\n(X\x04\0\0\0truetR.", 27);
}

/// An npy file of objects with this pickle behind its header.
void write_objects(const fs::path& file, const std::string& shape, const std::string& pickle) {
    std::string text = "{'descr': '|O', 'fortran_order': False, 'shape': " + shape + ", }";
    text += std::string(117 - text.size(), ' ') + '\n';
    write_text(file, std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(text.size()) + '\0' + text + pickle);
}

}  // namespace

TEST_CASE("info describes every golden pickle", "[tool][pickle]") {
    for (const auto& entry : fs::directory_iterator(fs::path(NDKEEP_TEST_DATA) / "pickles")) {
        const auto name = entry.path().filename().string();
        if (entry.path().extension() != ".pkl" || name.starts_with("refused"))
            continue;
        CAPTURE(name);

        const auto said = run_tool({"info", entry.path().string()});

        INFO(said.err);
        CHECK(said.status == 0);
        CHECK(said.has("format      pickle"));
    }
}

TEST_CASE("a pickle is known by its first bytes or by its name", "[tool][pickle]") {
    const temp_dir dir;
    const auto old = read_text(golden("kinds_0.pkl"));
    for (const auto* const name : {"a.pkl", "a.pickle", "a.pck", "a.p"}) {
        CAPTURE(name);
        write_text(dir / name, old);
        CHECK(run_tool({"info", "--json", (dir / name).string()}).object()["format"] == "pickle");
    }
    for (const auto* const protocol : {"2", "3", "4", "5"}) {
        CAPTURE(protocol);
        write_text(dir / "a.bin", read_text(golden("kinds_" + std::string(protocol) + ".pkl")));
        CHECK(run_tool({"info", "--json", (dir / "a.bin").string()}).object()["format"] == "pickle");
    }
    write_text(dir / "a.bin", old);
    CHECK(run_tool({"info", (dir / "a.bin").string()}).warns("format is unknown"));
}

TEST_CASE("bytes with a sidecar are no pickle, whatever they begin with", "[tool][pickle]") {
    const temp_dir dir;
    const auto from = write_npy<unsigned char>(dir / "a.npy", "|u1", {4}, {0x80, 4, 'N', '.'});
    const auto raw = (dir / "a.raw").string();
    REQUIRE(run_tool({"convert", from, raw}).status == 0);

    CHECK(run_tool({"info", "--json", raw}).object()["format"] == "raw");
}

TEST_CASE("tree draws the values of a pickle", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    const auto said = run_tool({"tree", "--json", file});

    CHECK(said.status == 0);
    const auto entries = said.object()["entries"];
    CHECK(said.object()["kind"] == "pickle");
    CHECK(entries[0]["name"] == "site");
    CHECK(entries[0]["value"] == "Aarhus");
    CHECK(entries[1]["kind"] == "list");
    CHECK(entries[1]["children"][1]["children"][1]["name"] == "depths");
    CHECK(entries[1]["children"][1]["children"][1]["dtype"] == "<f8");
    CHECK(entries[4]["shape"] == json::array({2, 3}));
}

TEST_CASE("info draws the values of a pickle, and counts what it leaves out", "[tool][pickle]") {
    const temp_dir dir;
    auto value = tree::list();
    for (int i = 0; i < 100; ++i)
        value.push_back(i);
    save_pickle(dir / "t.pkl", {{"many", value}});

    CHECK(output_of("info", {(dir / "t.pkl").string()}).find("61 more") != std::string::npos);
    CHECK(output_of("info", {"--all", (dir / "t.pkl").string()}).find("[99]  99") != std::string::npos);
}

TEST_CASE("info describes one value of a pickle by its path", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    const auto array = run_tool({"info", "--json", file + ":runs/1/depths"}).object();
    CHECK(array["dtype"] == "<f8");
    CHECK(array["shape"] == json::array({3}));
    CHECK(output_of("info", {file + ":runs"}).find("second") != std::string::npos);
    CHECK(output_of("info", {file + ":site"}).find("value       \"Aarhus\"") != std::string::npos);
    CHECK(run_tool({"info", file + ":runs/2"}).warns("t.pkl: value 'runs/2' is missing"));
}

TEST_CASE("show prints an array of a pickle, and slices of it", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    CHECK(output_of("show", {file + ":runs/1/depths"}) == "[4.5 5.  6. ]\n");
    CHECK(output_of("show", {"--member", "counts", file, "[1, ::2]"}) == "[4 6]\n");
    CHECK(run_tool({"show", file, "[0]"}).warns("number of arrays is 3, expected 1 (choose one, as in "));
    CHECK(run_tool({"show", file + ":site", "[0]"}).warns("number of arrays is 0, expected 1"));
}

TEST_CASE("show prints values of a pickle that are no arrays", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    CHECK(output_of("show", {file + ":site"}) == "\"Aarhus\"\n");
    CHECK(output_of("show", {file + ":a/b/c"}) == "7\n");
    CHECK(output_of("show", {file + ":flags"}) == "[\n  true,\n  null\n]\n");
    const auto flags = run_tool({"show", "--json", file + ":flags"}).object();
    CHECK(flags["member"] == "flags");
    CHECK(flags["value"] == json::array({true, nullptr}));
    CHECK(run_tool({"show", "--json", file + ":a/b"}).object()["value"]["c"] == 7);
}

TEST_CASE("show prints all arrays in a value of a pickle", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    const auto runs = output_of("show", {file + ":runs"});

    CHECK(runs ==
          file + ":runs/0/depths  <f8 (3,)\n[1.5 2.  3. ]\n\n" + file + ":runs/1/depths  <f8 (3,)\n[4.5 5.  6. ]\n");
    CHECK(output_of("show", {file}).find(":counts  <i8 (2, 3)\n[[1 2 3]\n [4 5 6]]\n") != std::string::npos);
}

TEST_CASE("text of a pickle does not reach the terminal unescaped", "[tool][pickle]") {
    const temp_dir dir;
    save_pickle(dir / "t.pkl", {{"k\x1b[2J", "v\x1b[2J\x7f"}});

    for (const std::string command : {"show", "tree", "info"}) {
        CAPTURE(command);
        const auto said = output_of(command, {(dir / "t.pkl").string()});
        CHECK(said.find('\x1b') == std::string::npos);
        CHECK(said.find('\x7f') == std::string::npos);
    }
}

TEST_CASE("ls lists the arrays of a pickle, and a pickle in a folder without reading it", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");
    write_text(dir / "class.pkl", pickle_of_class());

    const auto arrays = run_tool({"ls", "--json", file}).object()["entries"];
    CHECK(arrays.size() == 3);
    CHECK(arrays[1]["name"] == "runs/1/depths");
    const auto folder = run_tool({"ls", dir.path().string()});
    CHECK(folder.status == 0);
    CHECK(folder.has("class.pkl"));
}

TEST_CASE("tree of a folder reports a pickle that cannot be read, and draws the others", "[tool][pickle]") {
    const temp_dir dir;
    (void)save_trial(dir / "t.pkl");
    write_text(dir / "class.pkl", pickle_of_class());

    const auto said = run_tool({"tree", dir.path().string()});

    CHECK(said.status == 1);
    CHECK(said.has("posix.system"));
    CHECK(said.has("Aarhus"));
}

TEST_CASE("tree of a folder leaves out files that are named as pickles, and are something else", "[tool][pickle]") {
    const temp_dir dir;
    write_text(dir / "old.pkl", read_text(golden("kinds_0.pkl")));
    write_text(dir / "plot.p", "plot 'a.dat'\n");

    const auto said = run_tool({"tree", dir.path().string()});

    CHECK(said.status == 0);
    CHECK(said.has("old.pkl"));
    CHECK_FALSE(said.has("plot.p"));
    CHECK(run_tool({"tree", (dir / "plot.p").string()}).status == 2);
}

TEST_CASE("a pickle with an object of an unknown class is an error that names it", "[tool][pickle][error]") {
    const temp_dir dir;
    const auto file = (dir / "class.pkl").string();
    write_text(file, pickle_of_class());

    for (const std::string command : {"info", "tree", "ls", "show", "stats"}) {
        CAPTURE(command);
        const auto said = run_tool({command, file});
        CHECK(said.status == 2);
        CHECK(said.warns("class.pkl: object at byte"));
        CHECK(said.warns("posix.system"));
    }
}

TEST_CASE("a pickle that is cut short is an error of every command that reads it", "[tool][pickle][error]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");
    const auto whole = read_text(file);
    write_text(file, whole.substr(0, whole.size() / 2));

    for (const std::string command : {"info", "tree", "ls", "show", "stats"}) {
        CAPTURE(command);
        const auto said = run_tool({command, file});
        CHECK(said.status == 2);
        CHECK(said.warns("t.pkl: pickle is cut short"));
    }
    CHECK(run_tool({"convert", file, (dir / "t.npz").string()}).status == 2);
    CHECK_FALSE(fs::exists(dir / "t.npz"));
}

TEST_CASE("verify reads all of a pickle, and says that it has no checksums", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    const auto said = run_tool({"verify", file});
    CHECK(said.status == 0);
    CHECK(said.has("OK (all values and 3 arrays; a pickle has no checksums)"));
    CHECK(run_tool({"verify", "--json", file}).object()["has_checksums"] == false);

    write_text(file, read_text(file).substr(0, 40));
    const auto cut = run_tool({"verify", file});
    CHECK(cut.status == 1);
    CHECK(cut.has("pickle is cut short"));
    CHECK(run_tool({"verify", "--write", file}).warns("format is pickle, expected npy or raw"));
}

TEST_CASE("convert makes an archive of a pickle that is the same tree", "[tool][pickle]") {
    const temp_dir dir;
    for (const std::string name :
         {"kinds_0", "kinds_4", "arrays_2", "arrays_5", "numpy2_5", "pandas_4", "python2_kinds_2"}) {
        CAPTURE(name);
        const auto from = golden(name + ".pkl");

        const auto said = run_tool({"convert", from.string(), (dir / (name + ".npz")).string()});

        INFO(said.err);
        CHECK(said.status == 0);
        CHECK(load_tree(dir / (name + ".npz")) == load_pickle(from));
    }
}

TEST_CASE("NumPy opens the arrays of an archive that was a pickle", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    CHECK(run_tool({"convert", "--compress", file, (dir / "t.npz").string()}).status == 0);

    check_in_python(dir, "z = np.load('t.npz')\n"
                         "assert z['runs/1/depths'].tolist() == [4.5, 5, 6]\n"
                         "assert z['counts'].dtype == 'i8' and z['counts'].shape == (2, 3)\n");
}

TEST_CASE("convert takes one array of a pickle to any format", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    CHECK(run_tool({"convert", file + ":runs/1/depths", (dir / "d.npy").string()}).status == 0);
    CHECK((load<double, 1>(dir / "d.npy") == xt::xtensor<double, 1>{4.5, 5, 6}));
    CHECK(run_tool({"convert", "--dtype", "<i2", file + ":counts", (dir / "c.npz").string()}).status == 0);
    CHECK((npz_reader(dir / "c.npz").load<std::int16_t, 2>("counts") ==
           xt::xtensor<std::int16_t, 2>{{1, 2, 3}, {4, 5, 6}}));
    CHECK(output_of("convert", {"--to", "csv", file + ":counts", "-"}) == "1,2,3\n4,5,6\n");
}

TEST_CASE("convert takes no array where a pickle has several, or none", "[tool][pickle][error]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");
    const auto to = (dir / "t.npy").string();

    CHECK(run_tool({"convert", file, to}).warns("number of arrays is 3, expected 1 (choose one, as in "));
    CHECK(run_tool({"convert", file + ":site", to}).warns("number of arrays is 0, expected 1"));
    CHECK(run_tool({"convert", file + ":none", to}).warns("value 'none' is missing"));
    CHECK(run_tool({"convert", "--dtype", "f4", file, (dir / "t.npz").string()}).warns("choose one array"));
    CHECK_FALSE(fs::exists(to));
    CHECK_FALSE(fs::exists(dir / "t.npz"));
}

TEST_CASE("an npy file of objects is shown and converted as a pickle", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = (dir / "objects.npy").string();
    save_pickle(dir / "t.pkl", tree::list({xt::xtensor<std::int32_t, 1>{3, 4}, "text"}));
    write_objects(file, "(2,)", read_text(dir / "t.pkl"));

    CHECK(run_tool({"info", "--json", file}).object()["format"] == "pickle");
    CHECK(output_of("tree", {file}).find("\"text\"") != std::string::npos);
    CHECK(output_of("show", {file + ":0", "[1:]"}) == "[4]\n");
    CHECK(output_of("show", {file + ":1"}) == "\"text\"\n");
    CHECK(run_tool({"convert", file, (dir / "o.npz").string()}).status == 0);
    CHECK(load_tree(dir / "o.npz") == load_pickle(file));
}

TEST_CASE("diff compares all values of two pickles", "[tool][pickle]") {
    const temp_dir dir;
    const auto a = save_trial(dir / "a.pkl"), b = (dir / "b.pkl").string();
    auto other = trial();

    save_pickle(b, other, {.protocol = 2});
    CHECK(output_of("diff", {a, b}) == "equal: 12 elements in 3 arrays\n");

    other["site"] = "Odense";
    save_pickle(b, other);
    const auto texts = run_tool({"diff", a, b});
    CHECK(texts.status == 1);
    CHECK(texts.has("values that are no arrays: different"));

    other = trial();
    other["runs"][1]["depths"] = xt::xtensor<double, 1>{4.5, 5, 7};
    save_pickle(b, other);
    const auto arrays = run_tool({"diff", a, b});
    CHECK(arrays.status == 1);
    CHECK(arrays.has("runs/1/depths"));
    CHECK_FALSE(arrays.has("no arrays"));
    CHECK(run_tool({"diff", a + ":counts", b + ":counts"}).status == 0);
}

TEST_CASE("diff of a pickle and an archive compares the arrays, and says so", "[tool][pickle]") {
    const temp_dir dir;
    const auto a = save_trial(dir / "a.pkl"), b = (dir / "b.npz").string();
    REQUIRE(run_tool({"convert", a, b}).status == 0);

    const auto said = run_tool({"diff", a, b});

    CHECK(said.status == 0);
    CHECK(said.warns("only arrays are compared"));
}

TEST_CASE("a pickle is read from standard input", "[tool][pickle]") {
    const temp_dir dir;
    const auto file = save_trial(dir / "t.pkl");

    {
        const input_from input(file);
        CHECK(output_of("show", {"-", "--member", "counts"}) == "[[1 2 3]\n [4 5 6]]\n");
    }
    {
        const input_from input(file);
        CHECK(run_tool({"convert", "-", (dir / "t.npz").string()}).status == 0);
    }
    CHECK(load_tree(dir / "t.npz") == trial());
}

}  // namespace tool_pickle_tests
