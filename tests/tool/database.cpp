// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: databases.
#include "tool/run_tool.hpp"

#include <ndkeep/database.hpp>

namespace tool_database_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// A database with the arrays A and B, in commit 1.
[[nodiscard]] database two_arrays(const fs::path& path) {
    database lab(path);
    auto a = lab.create<std::int64_t>("A", {10});
    a(7) = 22;
    auto b = lab.create<double>("B", {3, 4});
    b = twelve();
    lab.metadata("B")["units"] = "kelvin";
    lab.commit();
    return lab;
}

/// A copy of a database whose writer is at work, as a kill of the writer would leave it.
void copy_as_if_killed(const fs::path& from, const fs::path& to) { fs::copy(from, to, fs::copy_options::recursive); }

[[nodiscard]] fs::path log_of(const fs::path& lab) {
    for (const auto& entry : fs::directory_iterator(lab / ".ndkeep"))
        if (entry.path().filename().string().starts_with("log-"))
            return entry.path();
    return {};
}

}  // namespace

TEST_CASE("info describes a database: its arrays, its last commit, its log and its writer", "[tool][database]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string();
    two_arrays(lab).close();

    const auto text = run_tool({lab});
    const auto object = run_tool({"info", "--json", lab}).object();

    CHECK(text.status == 0);
    CHECK(text.has("format      database"));
    CHECK(text.has("commit      1\n"));
    CHECK(text.has("log         none\n"));
    CHECK(text.has("writer      none\n"));
    CHECK(text.has("A     <i8    (10,)    80 B\n"));
    CHECK(object["format"] == "database");
    CHECK(object["commit"] == 1);
    CHECK(object["applied"] == 1);
    CHECK(object["log_nbytes"] == 0);
    CHECK(object["writer"].is_null());
    CHECK(object["nbytes"] == 80 + 96);
    REQUIRE(object["arrays"].size() == 2);
    CHECK(object["arrays"][1]["name"] == "B");
    CHECK(object["arrays"][1]["dtype"] == "<f8");
    CHECK(object["arrays"][1]["shape"] == json::array({3, 4}));
}

TEST_CASE("info and ls show the last commit, also where a reader keeps the files at an older one", "[tool][database]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string();
    auto writer = two_arrays(lab);
    const database_snapshot reader(lab);
    writer.open<std::int64_t, 1>("A").append(std::vector<std::int64_t>{1, 2});
    (void)writer.create<float>("C", {5});
    writer.commit();

    const auto text = run_tool({"info", lab});
    const auto object = run_tool({"info", "--json", lab}).object();
    const auto listed = run_tool({"ls", "--json", lab}).object();

    CHECK(text.has("commit      2, the files still at 1\n"));
    CHECK(text.has("writer      process "));
    CHECK(object["commit"] == 2);
    CHECK(object["applied"] == 1);
    CHECK(object["log_nbytes"] > 0);
    CHECK(object["arrays"][0]["shape"] == json::array({12}));
    CHECK(object["arrays"][2]["name"] == "C");
    CHECK(listed["note"] == "commit 2, the files still at 1");
    CHECK(listed["entries"][0]["shape"] == json::array({12}));
    REQUIRE(listed["entries"].size() == 3);
    CHECK(inspect(dir / "lab/A.npy").shape[0] == 10);
}

TEST_CASE("ls lists the arrays of a database, and its last commit in the last line", "[tool][database]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string();
    two_arrays(lab).close();

    const auto listed = run_tool({"ls", lab});

    CHECK(listed.status == 0);
    CHECK(listed.has("A     <i8    (10,)"));
    CHECK(listed.has("B     <f8    (3, 4)"));
    CHECK(listed.out.ends_with("\ncommit 1\n"));
}

TEST_CASE("a database is one entry of the folder around it", "[tool][database]") {
    const temp_dir dir;
    two_arrays(dir / "lab").close();

    const auto listed = run_tool({"ls", "--json", dir.path().string()}).object();
    const auto drawn = run_tool({"tree", dir.path().string()});

    REQUIRE(listed["entries"].size() == 1);
    CHECK(listed["entries"][0]["name"] == "lab");
    CHECK(listed["entries"][0]["kind"] == "database");
    CHECK(listed["entries"][0]["nbytes"] == 176);
    CHECK(drawn.has("lab  database, 176 B, commit 1\n"));
    CHECK(drawn.has("A  int64 (10,), 80 B\n"));
}

TEST_CASE("info and ls tell of a file that is no array, and of the arrays beside it", "[tool][database][error]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string();
    two_arrays(lab).close();
    write_text(dir / "lab/notes.npy", "no array");

    const auto text = run_tool({"info", lab}), listed = run_tool({"ls", lab});

    CHECK(text.status == 1);
    CHECK(text.has("(10,)"));
    CHECK(text.has("notes.npy: magic is 'no arr', expected '\\x93NUMPY'"));
    CHECK(listed.status == 1);
    CHECK(listed.has("(10,)"));
    CHECK(listed.has("<- "));
}

TEST_CASE("ls lists the files of a database whose locks cannot be opened", "[tool][database][error]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string();
    two_arrays(lab).close();
    fs::remove(dir / "lab/.ndkeep/lock");
    fs::create_directory(dir / "lab/.ndkeep/lock");

    const auto listed = run_tool({"ls", lab});

    CHECK(listed.status == 0);
    CHECK(listed.has("(10,)"));
    CHECK(listed.has("files as they are, the last commit is unknown: "));
    CHECK(run_tool({"info", lab}).status == 2);
    CHECK(run_tool({"recover", lab}).status == 2);
}

TEST_CASE("verify checks the log and every file of a database", "[tool][database]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string();
    two_arrays(lab).close();
    describe(dir / "lab/A.npy", {.sum = checksum::crc32});

    const auto sound = run_tool({"verify", lab});
    CHECK(sound.status == 0);
    CHECK(sound.out == lab + ": OK (log; headers and lengths of 2 arrays; checksums of 1)\n");
    CHECK(run_tool({"verify", "--json", lab}).object()["format"] == "database");

    fs::resize_file(dir / "lab/B.npy", 4100);
    const auto damaged = run_tool({"verify", lab});
    CHECK(damaged.status == 1);
    CHECK(damaged.has("B.npy: data is 4 bytes, expected 96 bytes"));
}

TEST_CASE("commands on one array refuse a database, and tell how to list its arrays", "[tool][database][error]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string(), to = (dir / "t.npy").string();
    two_arrays(lab).close();

    for (const auto& command : std::vector<std::vector<std::string>>{
             {"show", lab}, {"stats", lab}, {"meta", lab}, {"convert", lab, to}, {"compact", lab}}) {
        INFO(command[0]);
        const auto refused = run_tool(command);
        CHECK(refused.status == 2);
        CHECK(refused.warns("format is a database, expected an array (`ndkeep ls` lists its contents)"));
    }
    CHECK(run_tool({"show", lab + "/A.npy"}).out == "[ 0  0  0  0  0  0  0 22  0  0]\n");
}

TEST_CASE("convert --force does not replace a database", "[tool][database][error]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string();
    two_arrays(lab).close();

    CHECK(run_tool({"convert", "--force", lab + "/A.npy", lab}).status == 2);

    CHECK(database_snapshot(lab).names() == std::vector<std::string>{"A", "B"});
}

TEST_CASE("recover finds the log of a killed writer, and completes the database when asked", "[tool][database]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string(), copy = (dir / "copy").string();
    auto writer = two_arrays(lab);
    copy_as_if_killed(lab, copy);
    writer.close();
    CHECK(run_tool({"recover", lab}).out == lab + ": nothing to recover\n");

    const auto found = run_tool({"recover", copy});
    CHECK(found.status == 1);
    CHECK(found.has("the log holds commits of a killed or running writer"));
    CHECK(run_tool({"recover", "--json", copy}).object()["log_left"] == true);
    CHECK(fs::exists(log_of(copy)));

    const auto mended = run_tool({"recover", "--fix", copy});
    CHECK(mended.status == 0);
    CHECK(mended.has("the files are at commit 1"));
    CHECK(run_tool({"recover", copy}).out == copy + ": nothing to recover\n");
    CHECK(load<std::int64_t>(copy + "/A.npy")(7) == 22);
}

TEST_CASE("recover names the commits that a damaged log has lost", "[tool][database][error]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string(), copy = (dir / "copy").string();
    auto writer = two_arrays(lab);
    auto a = writer.open<std::int64_t, 1>("A");
    for (a(0) = 1; a(0) < 3; ++a(0))
        writer.commit();
    copy_as_if_killed(lab, copy);
    auto log = read_text(log_of(copy));
    log[log.find("NKDDREC1", log.find("NKDDREC1") + 1) + 60] ^= 1;
    write_text(log_of(copy), log);

    const auto found = run_tool({"recover", copy});
    CHECK(found.status == 1);
    CHECK(found.has("log is commits 2 to 3 damaged or lost, expected commits up to 3"));
    CHECK(run_tool({"verify", copy}).status == 1);
    CHECK(run_tool({"info", copy}).status == 2);

    const auto mended = run_tool({"recover", "--fix", "--json", copy}).object();
    CHECK(mended["fixed"] == true);
    CHECK(mended["commit"] == 1);
    REQUIRE(mended["lost"].size() == 1);
    CHECK(mended["lost"][0].get<std::string>().starts_with("commits 2 to 3 are lost"));
    CHECK(run_tool({"verify", copy}).status == 0);
}

TEST_CASE("recover refuses a database that a writer has open", "[tool][database][error]") {
    const temp_dir dir;
    const auto lab = (dir / "lab").string();
    const auto writer = two_arrays(lab);

    const auto refused = run_tool({"recover", "--fix", lab});

    CHECK(refused.status == 2);
    CHECK(refused.warns("writer is process "));
}

}  // namespace tool_database_tests
