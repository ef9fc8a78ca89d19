// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: the problems that verify finds, and the sidecars and checksums that it writes.
#include "support/python.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

namespace tool_verify_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// Changes the last byte.
void damage(const fs::path& file) {
    auto text = read_text(file);
    text.back() = static_cast<char>(text.back() ^ 1);
    write_text(file, text);
}

/// As above, and restores the former time of the file.
void rot(const fs::path& file) {
    const auto time = fs::last_write_time(file);
    damage(file);
    fs::last_write_time(file, time);
}

}  // namespace

TEST_CASE("verify says what it looked at, and with -q nothing where all is well", "[tool]") {
    temp_dir dir;
    save(dir / "bare.npy", twelve());
    save(dir / "t.npy", twelve(), {.sum = checksum::md5, .statistics = true});
    save_npz(dir / "a.npz", {{"x", twelve()}});
    save_chunked(dir / "c", twelve(), {.rows_per_chunk = 2});
    const std::vector<std::string> files = {(dir / "bare.npy").string(), (dir / "t.npy").string(),
                                            (dir / "a.npz").string(), (dir / "c").string(),
                                            (dir / "t.npy.json").string()};

    auto line = files;
    line.insert(line.begin(), "verify");
    const auto text = run_tool(line);
    line.insert(line.begin() + 1, "-q");
    const auto quiet = run_tool(line);

    CHECK(text.status == 0);
    CHECK(text.has("bare.npy: OK (header and length; no checksum stored)"));
    CHECK(text.has("t.npy: OK (md5, statistics)"));
    CHECK(text.has("a.npz: OK (crc32 of 1 member)"));
    CHECK(text.has("c: OK (crc32c of 2 chunks)"));
    CHECK(quiet.status == 0);
    CHECK(quiet.out.empty());
    CHECK(quiet.err.empty());
}

TEST_CASE("verify finds damage in every kind of file and says where", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve(), {.sum = checksum::crc32});
    save_npz(dir / "a.npz", {{"x", twelve()}, {"y", twelve()}});
    save_chunked(dir / "c", twelve(), {.rows_per_chunk = 2});
    REQUIRE(run_tool({"convert", (dir / "t.npy").string(), (dir / "t.dat").string()}).status == 0);
    damage(dir / "t.npy");
    damage(dir / "t.dat");
    auto archive = read_text(dir / "a.npz");
    archive[200] = static_cast<char>(archive[200] ^ 1);
    write_text(dir / "a.npz", archive);
    for (const auto& entry : fs::directory_iterator(dir / "c/chunks"))
        if (fs::file_size(entry.path()) == 128 + 32)
            damage(entry.path());

    const auto npy = run_tool({"verify", "--json", (dir / "t.npy").string()});
    const auto raw = run_tool({"verify", (dir / "t.dat").string()});
    const auto npz = run_tool({"verify", (dir / "a.npz").string()});
    const auto chunks = run_tool({"verify", (dir / "c").string()});
    const auto json_chunks = run_tool({"verify", "--json", (dir / "c").string()});

    CHECK(npy.status == 1);
    CHECK(npy.object()["ok"] == false);
    CHECK(npy.object()["findings"][0]["field"] == "crc32");
    CHECK(raw.status == 1);
    CHECK(raw.has("crc32 is "));
    CHECK(npz.status == 1);
    CHECK(npz.has("member 'x'"));
    CHECK(chunks.status == 1);
    CHECK(chunks.has("rows 2 to 3"));
    CHECK(json_chunks.object()["findings"][0]["rows"] == json::array({2, 3}));
}

TEST_CASE("verify makes and renews sidecars", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npy").string();
    save(file, twelve());

    CHECK(run_tool({"verify", "--write", "--statistics", "--sum=md5", "--sum=crc32", file}).status == 0);
    CHECK(run_tool({"verify", file}).has("OK (crc32, md5, statistics)"));

    describe(file, {.meta = {{"units", "kelvin"}}});
    damage(file);
    CHECK(run_tool({"verify", file}).status == 1);
    const auto renewed = run_tool({"verify", "--json", "--write", file});
    CHECK(renewed.status == 0);
    CHECK(renewed.object()["checksums"].size() == 2);
    CHECK(run_tool({"verify", file}).status == 0);
    CHECK(metadata(file)["units"] == "kelvin");

    save_npz(dir / "a.npz", {{"x", twelve()}});
    CHECK(run_tool({"verify", "--write", (dir / "a.npz").string()}).status == 2);
    CHECK(run_tool({"verify", "--write", "--sum=sha1", file}).status == 2);
    CHECK(run_tool({"verify", "--statistics", file}).status == 2);
}

TEST_CASE("verify prints what md5sum checks", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve());
    save(dir / "strange\\name\n.npy", twelve());
    save_chunked(dir / "c", twelve(), {.rows_per_chunk = 2});

    const auto sums = run_tool(
        {"verify", "--md5", (dir / "t.npy").string(), (dir / "strange\\name\n.npy").string(), (dir / "c").string()});
    write_text(dir / "sums", sums.out);

    CHECK(sums.status == 0);
    CHECK(std::count(sums.out.begin(), sums.out.end(), '\n') >= 5);
    if (run("md5sum --version").status != 0)
        WARN("no md5sum: nothing checked");
    else
        CHECK(run("md5sum --strict -c '" + (dir / "sums").string() + "'").status == 0);
}

TEST_CASE("verify goes on after what it cannot read, and stops at Ctrl-C", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve(), {.sum = checksum::crc32});
    write_text(dir / "noise", "no array");

    const auto both = run_tool({"verify", (dir / "noise").string(), (dir / "t.npy").string()});
    CHECK(both.status == 2);
    CHECK(both.has("t.npy: OK"));

    tool::interrupted() = true;
    const auto stopped = run_tool({"verify", (dir / "t.npy").string()});
    tool::interrupted() = false;
    CHECK(stopped.status == 130);
    CHECK(stopped.out.empty());
}

TEST_CASE("verify and diff get through all golden files", "[tool]") {
    const auto golden = fs::path(NDKEEP_SOURCE_DIR) / "tests/golden";
    for (const char* const folder : {"good", "bad"})
        for (const auto& entry : fs::directory_iterator(golden / folder)) {
            const auto path = entry.path().string();
            INFO(path);
            const auto verified = run_tool({"verify", path});
            const auto compared = run_tool({"diff", "--equal-nan", path, path});
            if (std::string(folder) == "good") {
                // Bytes after the data are a finding, and no error for those who only read the array.
                CHECK(verified.status == (entry.path().stem() == "other_tail" ? 1 : 0));
                CHECK(compared.status == 0);
            } else {
                const bool is_long = entry.path().stem() == "header_long";
                CHECK((verified.status != 0 || is_long));
                CHECK((compared.status == 2 || is_long));
            }
        }
}

TEST_CASE("verify looks at one member where one is named", "[tool]") {
    temp_dir dir;
    save_npz(dir / "a.npz", {{"x", twelve()}, {"y", twelve()}});
    auto text = read_text(dir / "a.npz");
    const auto first = text.find("NUMPY");
    text[text.find("NUMPY", first + 1) + 180] ^= 1;  // in the data of y
    write_text(dir / "a.npz", text);
    const auto file = (dir / "a.npz").string();

    CHECK(run_tool({"verify", file}).status == 1);
    CHECK(run_tool({"verify", file + ":x"}).out == file + ":x: OK (crc32 of member 'x')\n");
    CHECK(run_tool({"verify", "--json", "--member=y", file}).object()["member"] == "y");
    CHECK(run_tool({"verify", file + ":y"}).has("1 finding"));
    CHECK(run_tool({"verify", file + ":z"}).warns("member 'z' is missing, expected one of 'x', 'y'"));
}

TEST_CASE("only verify --write vouches for data that has rotted", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve(), {.sum = checksum::crc32, .statistics = true});
    REQUIRE(run_tool({"convert", (dir / "t.npy").string(), (dir / "t.raw").string()}).status == 0);
    for (const char* const name : {"t.npy", "t.raw"}) {
        const auto file = (dir / name).string();
        INFO(file);
        rot(file);

        CHECK(run_tool({"verify", file}).status == 1);
        CHECK(run_tool({"meta", file, "set", "/a", "1"}).status == 0);
        CHECK(run_tool({"verify", file}).status == 1);
        CHECK(run_tool({"verify", "--write", file}).status == 0);
        CHECK(run_tool({"verify", file}).has("OK (crc32, statistics)"));
    }
}

TEST_CASE("verify sums up a folder with a link that goes in circles", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve());
    fs::create_symlink("circle", dir / "circle");

    const auto sums = run_tool({"verify", "--md5", dir.path().string()});

    CHECK(sums.status == 0);
    CHECK(sums.has("t.npy\n"));
    CHECK(run_tool({"tree", dir.path().string()}).status == 0);
}

}  // namespace tool_verify_tests
