// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: convert between all kinds of files.
#include "support/faults.hpp"
#include "support/python.hpp"
#include "tool/array_file.hpp"
#include "tool/run_tool.hpp"
#include "tool/targets.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <csignal>
#include <limits>

#include <sys/resource.h>  // setrlimit: simulates a full disk

namespace tool_convert_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

struct convert_row {
    std::int32_t id;
    double value;
    fixed_string<4> name;
};
NDKEEP_FIELDS(convert_row, id, value, name);

[[nodiscard]] tool_run convert(const fs::path& from, const fs::path& to, std::vector<std::string> options = {}) {
    options.insert(options.begin(), "convert");
    options.push_back(from.string());
    options.push_back(to.string());
    return run_tool(options);
}

}  // namespace

TEST_CASE("convert brings every golden file through every kind and back, byte for byte", "[tool]") {
    const auto golden = fs::path(NDKEEP_SOURCE_DIR) / "tests/golden/good";
    for (const auto& entry : fs::directory_iterator(golden)) {
        if (entry.path().extension() != ".npy")
            continue;
        temp_dir dir;
        const auto original = dir / "original.npy";
        // The first conversion normalises headers of other programs to those that NumPy writes.
        const auto first = convert(entry.path(), original);
        INFO(entry.path() << ": " << first.err);
        REQUIRE(first.status == 0);
        const auto info = inspect(original);
        const auto through = [&](const char* name, const std::vector<std::string>& options = {}) {
            const auto there = convert(original, dir / name, options);
            const auto back = convert(dir / name, dir / "back.npy", {"--force"});
            INFO(name << ": " << there.err << back.err);
            CHECK(there.status == 0);
            CHECK(back.status == 0);
            CHECK(read_text(dir / "back.npy") == read_text(original));
            CHECK(fs::remove_all(dir / "back.npy") == 1);
        };
        through("a.npz");
        through("b.npz", {"--compress"});
        if (!info.shape.empty() && info.type.size() != 0 && !info.column_major && info.size() != 0)
            through("chunks", {"--to=chunked", "--rows-per-chunk=2"});
        through("a.raw");
    }
}

TEST_CASE("convert writes and reads csv without losing a number", "[tool]") {
    temp_dir dir;
    const auto through = [&](const auto& array, const std::string& dtype) {
        save(dir / "a.npy", array);
        CHECK(convert(dir / "a.npy", dir / "a.csv", {"-f"}).status == 0);
        const auto back = convert(dir / "a.csv", dir / "b.npy", {"-f", "--dtype", dtype});
        INFO(dtype << ": " << back.err);
        CHECK(back.status == 0);
        CHECK(read_text(dir / "a.npy") == read_text(dir / "b.npy"));
    };
    constexpr double tenth = 0.1, least = 5e-324, infinity = std::numeric_limits<double>::infinity();

    through(xt::xtensor<double, 1>{tenth, least, 1e300, -infinity, 1.0 / 3}, "f8");
    through(xt::xtensor<float, 2>{{0.1F, 3.4e38F}, {1e-45F, -0.0F}}, "f4");
    through(xt::xtensor<std::int64_t, 1>{std::numeric_limits<std::int64_t>::min(), 9007199254740993}, "i8");
    through(xt::xtensor<std::uint64_t, 1>{std::numeric_limits<std::uint64_t>::max(), 0}, "u8");
    through(xt::xtensor<std::int8_t, 2>{{-128, 127}}, "i1");
    through(xt::xtensor<bool, 1>{true, false}, "?");
    through(xt::xtensor<std::complex<double>, 1>{{0.1, -2.5}, {1e-30, 1e30}, {-infinity, 0}}, "c16");
    through(std::vector<float16>{float16(0.1), float16(65504), float16(6e-8)}, "f2");
    through(std::vector<convert_row>{{1, 0.1, fixed_string<4>("a,\"b")}, {-2, 1e22, fixed_string<4>("")}},
            "[('id','<i4'),('','V4'),('value','<f8'),('name','S4'),('','V4')]");
}

TEST_CASE("convert keeps the blanks at the ends of text in csv, and a byte order mark", "[tool]") {
    temp_dir dir;
    using text = fixed_string<8>;
    save(dir / "a.npy", std::vector<text>{text("\xef\xbb\xbf"
                                               "a"),
                                          text("\tb\t"), text(" c "), text("")});

    CHECK(convert(dir / "a.npy", dir / "a.csv").status == 0);
    CHECK(convert(dir / "a.csv", dir / "b.npy", {"--dtype=S8"}).status == 0);
    CHECK(read_text(dir / "a.npy") == read_text(dir / "b.npy"));
}

TEST_CASE("convert reads only empty text from csv if the text has no width", "[tool]") {
    temp_dir dir;
    write_text(dir / "empty.csv", "\"\"\n\"\"\n");
    write_text(dir / "full.csv", "\"\"\nx\n");

    CHECK(convert(dir / "empty.csv", dir / "empty.npy", {"--dtype=S0"}).status == 0);
    CHECK(inspect(dir / "empty.npy").shape == std::vector<std::size_t>{2});
    CHECK(convert(dir / "full.csv", dir / "full.npy", {"--dtype=S0"}).warns("line 2, column 1"));
}

TEST_CASE("convert writes csv as one expects", "[tool]") {
    temp_dir dir;
    save(dir / "v.npy", xt::xtensor<double, 1>{1, 0.5, 1e-7});
    save(dir / "m.npy", xt::xtensor<int, 2>{{1, 2}, {3, 4}});
    save(dir / "s.npy", std::vector<convert_row>{{1, 2.5, fixed_string<4>("x,y")}});
    save(dir / "cube.npy", xt::xtensor<int, 3>(xt::zeros<int>({2, 2, 2})));

    CHECK(run_tool({"convert", "--to=csv", (dir / "v.npy").string(), "-"}).out == "1.0\n0.5\n1e-07\n");
    CHECK(run_tool({"convert", "--to=csv", (dir / "m.npy").string(), "-"}).out == "1,2\n3,4\n");
    CHECK(run_tool({"convert", "--to=csv", (dir / "s.npy").string(), "-"}).out == "id,value,name\n1,2.5,\"x,y\"\n");
    CHECK(convert(dir / "cube.npy", dir / "cube.csv").status == 2);
    CHECK(!fs::exists(dir / "cube.csv"));
}

TEST_CASE("convert says line and column of what is no number in a csv", "[tool]") {
    temp_dir dir;
    const auto error = [&](const std::string& text, const std::vector<std::string>& options = {}) {
        write_text(dir / "a.csv", text);
        const auto done = convert(dir / "a.csv", dir / "a.npy", options);
        CHECK(done.status == 2);
        CHECK(!fs::exists(dir / "a.npy"));
        return done.err;
    };

    CHECK(error("1,2\n3,abc\n").find("line 2, column 2 is 'abc', expected a value of dtype '<f8'") !=
          std::string::npos);
    CHECK(error("1,2\r\n3\r\n").find("line 2 is a row of 1 value, expected 2 values") != std::string::npos);
    CHECK(error("1,\"2\n").find("line 1, column 2") != std::string::npos);
    CHECK(error("1\n300\n", {"--dtype=u1"}).find("line 2, column 1") != std::string::npos);
    CHECK(error("1.5\n", {"--dtype=i4"}).find("line 1, column 1") != std::string::npos);
}

TEST_CASE("convert keeps dtype, order and metadata that are not mentioned", "[tool]") {
    temp_dir dir;
    const xt::xtensor<double, 2, xt::layout_type::column_major> columns = twelve();
    save(dir / "f.npy", columns, {.meta = {{"units", "kelvin"}}, .sum = checksum::md5, .statistics = true});

    for (const char* const name : {"f.npz", "f.raw"}) {
        INFO(name);
        CHECK(convert(dir / "f.npy", dir / name).status == 0);
        CHECK(convert(dir / name, dir / "back.npy", {"--force"}).status == 0);
        CHECK(inspect(dir / "back.npy").column_major);
        CHECK(metadata(dir / "back.npy")["units"] == "kelvin");
    }
    CHECK(run_tool({"verify", (dir / "f.raw").string()}).has("OK (md5, statistics)"));

    const auto chunked = convert(dir / "f.npy", dir / "f", {"--to=chunked"});
    CHECK(chunked.status == 0);
    CHECK(chunked.warns("Fortran order is not kept"));
    CHECK(inspect_chunked(dir / "f").metadata["units"] == "kelvin");
    CHECK((load_chunked<double, 2>(dir / "f") == twelve()));
}

TEST_CASE("convert changes dtype, byte order and order", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve());

    const auto done = convert(dir / "a.npy", dir / "b.npy", {"--dtype=float32", "--byte-order=big", "--order=F"});

    CHECK(done.status == 0);
    CHECK(done.out.empty());
    CHECK(done.warns("224 B -> "));
    CHECK(done.warns("b.npy 176 B"));
    const auto info = inspect(dir / "b.npy");
    CHECK(info.type.str() == ">f4");
    CHECK(info.column_major);
    CHECK((load<float, 2>(dir / "b.npy") == xt::cast<float>(twelve())));
}

TEST_CASE("convert casts as numpy does with same_kind, and only what fits", "[tool]") {
    temp_dir dir;
    save(dir / "f.npy", xt::xtensor<double, 1>{1.5, -2.75, 1e300});
    save(dir / "i.npy", xt::xtensor<std::int64_t, 1>{1, 300, -1});
    save(dir / "s.npy", std::vector<fixed_string<4>>{fixed_string<4>("abcd"), fixed_string<4>("x")});
    const auto status = [&](const char* file, const char* dtype) {
        return convert(dir / file, dir / "out.npy", {"-f", "--dtype", dtype}).status;
    };

    CHECK(status("f.npy", "i4") == 2);  // another kind of dtype
    CHECK(status("i.npy", "u4") == 2);
    CHECK(status("i.npy", "S4") == 2);
    CHECK(status("i.npy", "?") == 2);
    CHECK(status("i.npy", "i2") == 0);
    CHECK(status("i.npy", "c8") == 0);
    CHECK(status("s.npy", "U4") == 0);
    CHECK(status("s.npy", "S2") == 2);  // a value is too long
    CHECK(convert(dir / "f.npy", dir / "n.npy", {"--dtype=f4"}).warns("element [2] is 1e+300"));
    CHECK(convert(dir / "i.npy", dir / "n.npy", {"--dtype=i1"})
              .warns("element [1] is 300, expected a value that fits '|i1'"));
    CHECK(!fs::exists(dir / "n.npy"));

    CHECK(convert(dir / "i.npy", dir / "n.npy", {"--dtype=u1", "--unsafe"}).status == 0);
    CHECK((load<std::uint8_t, 1>(dir / "n.npy") == xt::xtensor<std::uint8_t, 1>{1, 44, 255}));
    CHECK(convert(dir / "f.npy", dir / "n.npy", {"-f", "--dtype=i4", "--unsafe"}).status == 0);
    CHECK((load<std::int32_t, 1>(dir / "n.npy") ==
           xt::xtensor<std::int32_t, 1>{1, -2, std::numeric_limits<std::int32_t>::max()}));
    save(dir / "large.npy", xt::xtensor<double, 1>{300, 300.5, -1});
    CHECK(convert(dir / "large.npy", dir / "n.npy", {"-f", "--dtype=u1", "--unsafe"}).status == 0);
    CHECK((load<std::uint8_t, 1>(dir / "n.npy") == xt::xtensor<std::uint8_t, 1>{255, 255, 0}));
}

TEST_CASE("convert casts as NumPy does", "[tool][python]") {
    if (python().empty()) {
        WARN("no Python with NumPy: nothing checked");
        return;
    }
    temp_dir dir;
    const std::vector<std::string> kinds = {"?",  "i1", "i2", ">i4", "i8", "u1",  ">u2", "u4",
                                            "u8", "f2", "f4", ">f8", "c8", "c16", "S3",  "U3"};
    for (std::size_t i = 0; i < kinds.size(); ++i)
        write_text(dir / "make.py", "import sys, numpy as np\n"
                                    "for i, k in enumerate(sys.argv[2:]):\n"
                                    "    a = np.array([0, 1, 1, 0, 1, 1]).reshape(2, 3)\n"
                                    "    a = a if np.dtype(k).kind in 'b' else a * 3\n"
                                    "    np.save(f'{sys.argv[1]}/{i}.npy', a.astype(k))\n");
    std::string line = python() + " '" + (dir / "make.py").string() + "' '" + dir.path().string() + "'";
    for (const auto& kind : kinds)
        line += " '" + kind + "'";
    REQUIRE(run(line).status == 0);
    json done = json::array();
    for (std::size_t i = 0; i < kinds.size(); ++i)
        for (std::size_t j = 0; j < kinds.size(); ++j) {
            const auto out = std::to_string(i) + "_" + std::to_string(j) + ".npy";
            const auto status = convert(dir / (std::to_string(i) + ".npy"), dir / out, {"--dtype", kinds[j]}).status;
            done.push_back({i, j, kinds[j], status == 0});
        }
    write_text(dir / "done.json", done.dump());
    check_in_python(dir, R"(
for i, j, kind, fine in json.load(open('done.json')):
    a = np.load(f'{i}.npy')
    # Numbers are never made texts here.
    possible = np.can_cast(a.dtype, kind, 'same_kind') and (a.dtype.kind in 'SU') == (np.dtype(kind).kind in 'SU')
    assert fine == possible, (a.dtype, kind, fine)
    if fine:
        b = np.load(f'{i}_{j}.npy')
        assert b.dtype == np.dtype(kind) and (b == a.astype(kind)).all(), (a.dtype, kind)
)");
}

TEST_CASE("convert reads standard input and writes standard output", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve());
    write_text(dir / "a.csv", "1,2\n3,4.5\n");

    const auto out = run_tool({"convert", (dir / "a.npy").string(), "-"});
    CHECK(out.status == 0);
    CHECK(out.out == read_text(dir / "a.npy"));
    {
        const input_from file(dir / "a.npy");
        CHECK(run_tool({"convert", "-", (dir / "b.npz").string()}).status == 0);
    }
    CHECK((npz_reader(dir / "b.npz").load<double, 2>("arr_0") == twelve()));
    {
        const input_from text(dir / "a.csv");
        CHECK(run_tool({"convert", "-q", "-", (dir / "b.npy").string()}).status == 0);
    }
    CHECK((load<double, 2>(dir / "b.npy") == xt::xtensor<double, 2>{{1, 2}, {3, 4.5}}));
    fs::resize_file(dir / "a.npy", 150);
    {
        const input_from cut(dir / "a.npy");
        CHECK(run_tool({"convert", "-", (dir / "c.npy").string()}).warns("the file is cut short"));
    }
    CHECK(!fs::exists(dir / "c.npy"));
    CHECK(run_tool({"convert", "--to=npz", (dir / "b.npy").string(), "-"}).status == 2);
}

TEST_CASE("convert replaces nothing without --force, and nothing else with it", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve());
    save(dir / "b.npy", xt::xtensor<int, 1>{1});
    fs::create_directory(dir / "folder");
    write_text(dir / "folder/notes.txt", "mine");

    const auto refused = convert(dir / "a.npy", dir / "b.npy");
    CHECK(refused.status == 2);
    CHECK(refused.warns("--force replaces it"));
    CHECK(inspect(dir / "b.npy").shape == std::vector<std::size_t>{1});
    CHECK(convert(dir / "a.npy", dir / "b.npy", {"--force"}).status == 0);
    CHECK(read_text(dir / "b.npy") == read_text(dir / "a.npy"));
    CHECK(convert(dir / "b.npy", dir / "b.npy", {"--force", "--order=F"}).status == 0);
    CHECK(inspect(dir / "b.npy").column_major);
    CHECK(convert(dir / "a.npy", dir / "folder", {"--force"}).status == 2);
    CHECK(convert(dir / "a.npy", dir / "folder").status == 2);
    CHECK(fs::exists(dir / "folder/notes.txt"));
    CHECK(!fs::exists(dir / "folder/commits"));

    CHECK(convert(dir / "a.npy", dir / "c", {"--to=chunked"}).status == 0);
    CHECK(convert(dir / "b.npy", dir / "c", {"-f", "--dtype=f4"}).status == 0);
    CHECK(inspect_chunked(dir / "c").commits == 2);
}

TEST_CASE("convert that fails or is stopped leaves what was there, and nothing beside it", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", xt::xtensor<double, 1>{1, 2, 1e300});
    save_npz(dir / "a.npz", {{"x", twelve()}});
    const std::vector<std::string> names = {"t.npy", "t.npz", "t.raw", "t.csv", "t"};
    for (const auto& name : names)
        REQUIRE(convert(dir / "a.npz", dir / name, {name == "t" ? "--to=chunked" : "-q"}).status == 0);
    const auto contents = [&] {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(dir.path()))
            if (entry.is_regular_file() && entry.path().filename() != "lock")
                all[entry.path().string()] = read_text(entry.path());
        return all;
    };
    const auto before = contents();

    for (const auto& name : names)
        for (const bool is_new : {false, true}) {
            const std::string kind = name == "t" ? "--to=chunked" : "-q";
            INFO(name << " " << is_new);
            const auto to = is_new ? dir / ("new_" + name) : dir / name;
            if (name != "t.csv") {
                CHECK(convert(dir / "a.npy", to, {"-f", kind, "--dtype=f4"}).status == 2);
                CHECK(contents() == before);
            }
            tool::interrupted() = true;
            CHECK(convert(dir / "a.npy", to, {"-f", kind}).status == 130);
            tool::interrupted() = false;
            CHECK(contents() == before);
            CHECK(fs::exists(to) != is_new);
        }
    CHECK(dir.hidden_files().empty());
}

TEST_CASE("convert onto a full disk is an error, and leaves what was there", "[tool]") {
    const temp_dir dir;
    save(dir / "a.npy", xt::xtensor<double, 1>(xt::arange<double>(20000)));
    save(dir / "t.npy", twelve());
    const auto before = read_text(dir / "t.npy");

    const auto end = faults::in_child([&]() -> std::string {
        const rlimit most{65536, 65536};
        ::setrlimit(RLIMIT_FSIZE, &most);
        std::signal(SIGXFSZ, SIG_IGN);
        for (const char* const name : {"t.npy", "t.npz", "t.csv", "t.raw", "t"})
            if (convert(dir / "a.npy", dir / name, {"-f", fs::path(name) == "t" ? "--to=chunked" : "-q"}).status != 2)
                return std::string(name) + " was written";
        return "";
    });

    CHECK(end.said == "");
    CHECK(read_text(dir / "t.npy") == before);
    CHECK(dir.files() == 2);
}

TEST_CASE("convert says of a dry run what would be there, and writes nothing", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve());

    const auto told = convert(dir / "a.npy", dir / "b.npz", {"--dry-run", "--dtype=f4"});

    CHECK(told.status == 0);
    CHECK(told.has("b.npz a: <f8 (3, 4) C 96 B -> <f4 (3, 4) C 48 B"));
    CHECK(dir.files() == 1);
}

TEST_CASE("convert carries all members of an archive, or the one that is asked for", "[tool]") {
    temp_dir dir;
    npz_writer archive(dir / "a.npz");
    archive.add("x", twelve());
    archive.add("g/y", xt::xtensor<int, 1>{1, 2});
    archive.add_text("notes.txt", "some words");
    archive.set_metadata({{"run", 7}});
    archive.commit();

    CHECK(convert(dir / "a.npz", dir / "b.npz", {"--compress"}).status == 0);
    CHECK(convert(dir / "a.npz", dir / "c.npz", {"--member=g/y"}).status == 0);
    CHECK(convert(dir / "a.npz", dir / "y.npy", {"--member=g/y"}).status == 0);
    CHECK(convert(dir / "a.npz", dir / "z.npy", {"--member=z"}).status == 2);
    CHECK(convert(dir / "a.npz", dir / "z.npy").status == 2);

    const npz_reader all(dir / "b.npz");
    CHECK((all.load<double, 2>("x") == twelve()));
    CHECK(all.text("notes.txt") == "some words");
    CHECK(all.metadata()["run"] == 7);
    CHECK(npz_reader(dir / "c.npz").names() == std::vector<std::string>{"g/y"});
    CHECK((load<int, 1>(dir / "y.npy") == xt::xtensor<int, 1>{1, 2}));
}

TEST_CASE("convert keeps the compression of each member, unless it is told otherwise", "[tool]") {
    temp_dir dir;
    npz_writer archive(dir / "a.npz");
    archive.add("x", twelve(), {.compress = true});
    archive.add("y", twelve());
    archive.add_text("notes", "some words", {.compress = true});
    archive.commit();
    const auto methods = [&](const fs::path& from, const std::vector<std::string>& options) {
        std::string all;
        REQUIRE(convert(from, dir / "b.npz", options).status == 0);
        for (const auto& member : inspect_npz(dir / "b.npz"))
            all += member.method + ' ';
        return all;
    };

    CHECK(methods(dir / "a.npz", {"-f", "--dtype=f4"}) == "deflate stored deflate ");
    CHECK(methods(dir / "a.npz", {"-f", "--compress"}) == "deflate deflate deflate ");
    CHECK(methods(dir / "a.npz", {"-f", "--no-compress"}) == "stored stored stored ");
    CHECK(methods((dir / "a.npz").string() + ":x", {"-f", "--member=z"}) == "deflate ");
    CHECK(convert(dir / "a.npz", dir / "b.npz", {"-f", "--compress", "--no-compress"}).status == 2);
}

TEST_CASE("convert takes a member behind a colon, and --member is what it is called then", "[tool]") {
    temp_dir dir;
    save_npz(dir / "a.npz", {{"x", twelve()}, {"y", xt::xtensor<int, 1>{1, 2}}});
    save(dir / "t.npy", twelve());
    const auto y = fs::path((dir / "a.npz").string() + ":y"), none = fs::path((dir / "t.npy").string() + ":y");

    CHECK(convert(y, dir / "y.npy").status == 0);
    CHECK(convert(y, dir / "z.npz", {"--member=z"}).status == 0);
    CHECK(convert(none, dir / "n.npy").warns("t.npy: member 'y' is missing, expected an npz archive"));

    CHECK((load<int, 1>(dir / "y.npy") == xt::xtensor<int, 1>{1, 2}));
    CHECK(npz_reader(dir / "z.npz").names() == std::vector<std::string>{"z"});
}

TEST_CASE("convert tells every value of a sub-array in a column of its own", "[tool]") {
    temp_dir dir;
    const std::string descr = "[('p', [('x', '<i2'), ('y', '<i2')], (2,)), ('k', '<i2')]";
    const auto file = write_npy<std::int16_t>(dir / "t.npy", descr, {2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});

    CHECK(convert(file, dir / "t.csv").status == 0);
    CHECK(convert(dir / "t.csv", dir / "back.npy", {"--dtype=" + descr}).status == 0);

    CHECK(read_text(dir / "t.csv") == "p.x[0],p.x[1],p.y[0],p.y[1],k\n1,3,2,4,5\n6,8,7,9,10\n");
    CHECK(run_tool({"diff", "-q", file, (dir / "back.npy").string()}).status == 0);
}

TEST_CASE("convert writes complex numbers as Python does, and reads them with or without brackets", "[tool]") {
    temp_dir dir;
    const auto file = write_npy<float>(dir / "t.npy", "<c8", {3}, {1, 2, 0, -0.5, 0.1F, 0});
    write_text(dir / "bare.csv", "1+2j\n-0.5j\n0.1\n");

    CHECK(convert(file, dir / "t.csv").status == 0);
    CHECK(read_text(dir / "t.csv") == "(1+2j)\n-0.5j\n(0.1+0j)\n");
    for (const char* const name : {"t.csv", "bare.csv"}) {
        CHECK(convert(dir / name, dir / "back.npy", {"--dtype=complex64", "--force"}).status == 0);
        CHECK(run_tool({"diff", "-q", file, (dir / "back.npy").string()}).status == 0);
    }
}

TEST_CASE("convert refuses options that mean nothing for the target", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve());

    CHECK(convert(dir / "a.npy", dir / "b.npy", {"--compress"}).status == 2);
    CHECK(convert(dir / "a.npy", dir / "b.npy", {"--rows-per-chunk=2"}).status == 2);
    CHECK(convert(dir / "a.npy", dir / "b", {"--to=chunked", "--rows-per-chunk=0"})
              .warns("'0', expected an integer of at least 1"));
    CHECK(convert(dir / "a.npy", dir / "b", {"--to=chunked", "--order=F"}).status == 2);
    CHECK(convert(dir / "a.npy", dir / "b.npy", {"--member=x"}).status == 2);
    CHECK(convert(dir / "a.npy", dir / "b.npy", {"--dtype=nonsense"}).status == 2);
    CHECK(convert(dir / "a.npy", dir / "b.hdf5").status == 2);
    CHECK(dir.files() == 1);
}

TEST_CASE("convert writes nothing to a terminal that it would obey", "[tool]") {
    temp_dir dir;
    const auto file = write_npy<char>(dir / "t.npy", "|S4", {2}, {'\x1b', '[', '2', 'J', 'a', 'b', 'c', 'd'});
    const tool::array_file opened(file, {});
    const tool::content what{.names = {""}, .array = [&](const std::string&) { return opened.open("").view; }};
    const auto written = [&](bool is_terminal) {
        std::ostringstream out;
        (void)tool::write_stream(out, {.is_terminal = is_terminal}, tool::target_kind::csv, what);
        return out.str();
    };

    CHECK(written(true) == "\\x1b[2J\nabcd\n");
    CHECK(written(false) == "\x1b[2J\nabcd\n");
}

TEST_CASE("convert refuses csv of elements without a value", "[tool]") {
    temp_dir dir;
    write_text(dir / "a.csv", "1\n2\n");

    for (const char* const type : {"[]", "[('a', '<f8', (0,))]"}) {
        CHECK(convert(dir / "a.csv", dir / "a.npy", {std::string("--dtype=") + type}).warns("columns is 0"));
        CHECK(!fs::exists(dir / "a.npy"));
        const auto file = write_npy<char>(dir / "none.npy", type, {2}, {});
        CHECK(convert(file, dir / "t.csv").warns("columns is 0"));
    }
}

TEST_CASE("convert refuses more columns than csv has room for", "[tool]") {
    temp_dir dir;
    const auto file = write_npy<char>(dir / "t.npy", "[('a', 'i1', (70000,))]", {1}, std::vector<char>(70000));

    CHECK(convert(file, dir / "t.csv").warns("number of columns is at least 70000, expected at most 65536"));
    CHECK(!fs::exists(dir / "t.csv"));
}

TEST_CASE("convert to csv removes a former sidecar, and no file of another program", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve());
    const std::string other = R"({"name": "ndkeep", "version": 1})";
    write_text(dir / "other.csv.json", other);
    REQUIRE(convert(dir / "t.npy", dir / "t.raw").status == 0);
    fs::rename(dir / "t.raw", dir / "t.csv");
    fs::rename(dir / "t.raw.json", dir / "t.csv.json");

    CHECK(convert(dir / "t.npy", dir / "other.csv", {"-f"}).status == 0);
    CHECK(convert(dir / "t.npy", dir / "t.csv", {"-f"}).status == 0);

    CHECK(read_text(dir / "other.csv.json") == other);
    CHECK_FALSE(fs::exists(dir / "t.csv.json"));
    CHECK(read_text(dir / "t.csv") == read_text(dir / "other.csv"));
}

TEST_CASE("a raw file whose replacement was cut off is read as it was described", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve());
    REQUIRE(convert(dir / "t.npy", dir / "t.raw").status == 0);
    auto both = *detail::read_sidecar(dir / "t.raw");
    both.previous = both.current;
    both.current.type = "<i4";
    both.current.nbytes /= 2;
    both.current.stamp->mtime_ns += 1;
    detail::write_sidecar(dir / "t.raw", both, durability::when_convenient);
    const auto file = (dir / "t.raw").string();

    CHECK(run_tool({"show", file}).out == run_tool({"show", (dir / "t.npy").string()}).out);
    CHECK(run_tool({"verify", file}).status == 0);
    CHECK(run_tool({"meta", file, "set", "/a", "1"}).status == 0);
    CHECK(detail::read_sidecar(dir / "t.raw")->current.type == "<f8");
}

TEST_CASE("convert says which bytes after the data it leaves out", "[tool]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve());
    write_text(dir / "two.npy", read_text(dir / "t.npy") + read_text(dir / "t.npy"));

    const auto of_file = convert(dir / "two.npy", dir / "a.npy");
    const input_from in(dir / "two.npy");
    const auto of_stream = convert("-", dir / "b.npy");

    CHECK(of_file.status == 0);
    CHECK(of_file.warns("two.npy: data is followed by another array, which is not converted"));
    CHECK(of_stream.status == 0);
    CHECK(of_stream.warns("-: data is followed by another array, which is not converted"));
    CHECK((read_text(dir / "b.npy") == read_text(dir / "t.npy")));
}

}  // namespace tool_convert_tests
