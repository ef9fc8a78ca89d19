// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: recover, compact, prune, bench, and shell completion.
#include "support/python.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

namespace tool_upkeep_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

void append_commits(const fs::path& path, int count) {
    for (int i = 0; i < count; ++i)
        save_chunked(path, twelve(), {.rows_per_chunk = 1});
}

}  // namespace

TEST_CASE("recover tells of rows behind the data, and counts them in when asked", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npy").string();
    save(file, twelve(), {.meta = {{"units", "kelvin"}}});
    write_text(file, read_text(file) + std::string(70, '\0'));

    const auto found = run_tool({"recover", file});
    CHECK(found.status == 1);
    CHECK(found.has("2 rows after the end of the data, not counted in the header"));
    CHECK(inspect(file).shape[0] == 3);
    CHECK(run_tool({"recover", "--json", file}).object()["rows_behind"] == 2);

    CHECK(run_tool({"recover", "--fix", file}).status == 0);
    CHECK(inspect(file).shape[0] == 5);
    CHECK(metadata(file)["units"] == "kelvin");
    CHECK(run_tool({"recover", file}).has("nothing to recover"));
}

TEST_CASE("recover --output leaves out no complete row", "[tool][error]") {
    const temp_dir dir;
    const auto file = (dir / "t.npy").string(), to = (dir / "new.npy").string();
    save(file, twelve());
    write_text(file, read_text(file) + std::string(70, '\0'));

    const auto refused = run_tool({"recover", "--output", to, file});
    CHECK(refused.status == 2);
    CHECK(refused.warns("rows after the end of the data is 2, expected 0 (--fix includes them)"));
    CHECK_FALSE(fs::exists(to));

    CHECK(run_tool({"recover", "--fix", "--output", to, file}).status == 0);
    CHECK(inspect(to).shape[0] == 5);
}

TEST_CASE("recover changes nothing if --output is refused", "[tool][error]") {
    const temp_dir dir;
    const auto file = (dir / "t.npy").string();
    save(file, twelve());
    save(dir / "present.npy", twelve());
    const auto damaged = read_text(file) + std::string(70, '\0');
    write_text(file, damaged);

    CHECK(run_tool({"recover", "--fix", "--output", (dir / "present.npy").string(), file}).status == 2);
    CHECK(run_tool({"recover", "--fix", "-f", "--output", file, file}).warns("the same file"));
    CHECK(run_tool({"recover", "--fix", "--output", (dir / "absent/new.npy").string(), file}).status == 2);
    CHECK((read_text(file) == damaged));
}

TEST_CASE("recover tells how many rows of a cut file are complete, and writes them to another", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npy").string(), to = (dir / "new.npy").string();
    save(file, twelve());
    write_text(file, read_text(file).substr(0, 128 + 2 * 32 + 7));

    const auto found = run_tool({"recover", file});
    CHECK(found.status == 1);
    CHECK(found.has("the data is cut short: 2 of 3 rows are complete"));
    CHECK(found.warns("--output FILE writes what is complete to a new file"));
    CHECK(run_tool({"recover", "--json", file}).object()["complete_rows"] == 2);

    CHECK(run_tool({"recover", "--output", to, file}).status == 0);
    CHECK((load<double, 2>(to) == xt::view(twelve(), xt::range(0, 2))));
    CHECK(run_tool({"recover", "--output", to, file}).status == 2);
    CHECK(run_tool({"recover", "-f", "--output", to, file}).status == 0);
    CHECK(read_text(file).size() == 128 + 2 * 32 + 7);
}

TEST_CASE("recover of a file with its header only tells of no rows and writes none", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npy").string(), to = (dir / "new.npy").string();
    save(file, twelve());
    write_text(file, read_text(file).substr(0, 128));

    const auto found = run_tool({"recover", "--output", to, file});
    CHECK(found.status == 1);
    CHECK(found.has("0 of 3 rows are complete"));
    CHECK_FALSE(is_file(to));
}

TEST_CASE("recover tells which members of a cut archive are complete, and writes them to another", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npz").string(), to = (dir / "new.npz").string();
    save_npz(file, {{"first", twelve()}, {"second", twelve()}});
    const auto whole = read_text(file);
    write_text(file, whole.substr(0, whole.size() / 2 + 60));

    const auto found = run_tool({"recover", file});
    CHECK(found.status == 1);
    CHECK(found.has("the directory is missing or damaged: 1 member is complete"));
    CHECK(found.has("first  <f8 (3, 4)"));
    CHECK(run_tool({"recover", "--fix", file}).status == 1);
    CHECK(run_tool({"recover", "--json", file}).object()["complete_members"] == json::array({"first"}));

    CHECK(run_tool({"recover", "--output", to, file}).has("1 member written to " + to));
    CHECK((npz_reader(to).load<double, 2>("first") == twelve()));
    CHECK(run_tool({"recover", to}).has("nothing to recover"));
}

TEST_CASE("recover tells of bytes behind an archive, and cuts them off when asked", "[tool]") {
    const temp_dir dir;
    const auto file = (dir / "t.npz").string();
    save_npz(file, {{"a", twelve()}});
    const auto former = read_text(file);
    write_text(file, former + std::string(100'000, 'x'));

    const auto found = run_tool({"recover", file});
    CHECK(found.status == 1);
    CHECK(found.has("100000 bytes behind the end of the archive"));
    CHECK(run_tool({"recover", "--json", file}).object()["bytes_behind"] == 100'000);
    CHECK(run_tool({"recover", "--fix", file}).has("cut off behind the end of the archive"));
    CHECK(read_text(file) == former);
    CHECK(run_tool({"recover", file}).has("nothing to recover"));
}

TEST_CASE("recover says that a search for members was cut short", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "t.npz").string(), to = (dir / "new.npz").string();
    save_npz(file, {{"first", twelve()}});
    std::string damaged = read_text(file).substr(0, 30);
    damaged[6] = 8;                 // a descriptor follows the data
    damaged[26] = damaged[28] = 0;  // no name, no extra field
    damaged += std::string(2000, 'x');
    std::string text;
    for (int i = 0; i < 30; ++i)
        text += damaged;
    write_text(file, text + read_text(file));
    fs::resize_file(file, fs::file_size(file) - 10);

    CHECK(run_tool({"recover", file}).has("too much is damaged to check every member: there may be more"));
    CHECK(run_tool({"recover", "--json", file}).object()["may_lack_members"] == true);
    CHECK(run_tool({"recover", "--json", file}).object()["complete_members"] == json::array({"first"}));
}

TEST_CASE("recover of a file that is no archive says what it is", "[tool]") {
    temp_dir dir;
    write_text(dir / "t.npz", "<!DOCTYPE html>");

    const auto said = run_tool({"recover", (dir / "t.npz").string()});
    CHECK(said.status == 2);
    CHECK(said.warns("the file is an HTML page"));
}

TEST_CASE("recover writes only rows and members, and one file", "[tool]") {
    temp_dir dir;
    const auto path = (dir / "chunked").string(), file = (dir / "t.npy").string();
    append_commits(path, 1);
    save(file, twelve());

    CHECK(run_tool({"recover", "--output", (dir / "new.npy").string(), path}).warns("expected npy or npz"));
    CHECK(run_tool({"recover", "--output", (dir / "new.npy").string(), file, file}).status == 2);
}

TEST_CASE("recover steps over a damaged commit when asked", "[tool]") {
    temp_dir dir;
    append_commits(dir / "c", 3);
    const auto newest = dir / "c/commits/00000000000000000003.json";
    REQUIRE(fs::exists(newest));
    auto text = read_text(newest);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    fs::permissions(newest, fs::perms::owner_all);
    write_text(newest, text);
    const auto path = (dir / "c").string();

    CHECK(run_tool({"verify", path}).status == 1);
    const auto found = run_tool({"recover", path});
    CHECK(found.status == 1);
    CHECK(found.has("damaged commits 3"));
    CHECK(run_tool({"recover", "--json", path}).object()["damaged_commits"] == json::array({3}));
    CHECK(run_tool({"recover", "--fix", path}).status == 0);
    CHECK(run_tool({"verify", path}).status == 0);
    CHECK(run_tool({"recover", path}).status == 0);
}

TEST_CASE("recover removes what a killed writer left", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve());
    write_text(dir / ".t.npy.ndk", "half");
    const auto file = (dir / "t.npy").string();

    CHECK(run_tool({"recover", file}).status == 1);
    CHECK(fs::exists(dir / ".t.npy.ndk"));
    CHECK(run_tool({"recover", "--fix", file}).status == 0);
    CHECK(dir.hidden_files().empty());
}

TEST_CASE("compact puts chunks together and prune removes commits", "[tool]") {
    temp_dir dir;
    const auto path = (dir / "c").string();
    append_commits(path, 4);

    const auto compacted = run_tool({"compact", "--json", path});
    CHECK(compacted.status == 0);
    CHECK(compacted.object()["chunks_before"] == 3);
    CHECK(compacted.object()["chunks_after"] == 1);

    const auto pruned = run_tool({"prune", "--keep=2", path});
    CHECK(pruned.status == 0);
    CHECK(pruned.has("5 commits"));
    CHECK(pruned.has("2 commits"));
    CHECK(inspect_chunked(path).commits == 2);
    CHECK((load_chunked<double, 2>(path) == twelve()));

    CHECK(run_tool({"prune", path}).status == 2);
    CHECK(run_tool({"prune", "--keep=0", path}).status == 2);
    CHECK(run_tool({"compact", "--rows-per-chunk=0", path}).status == 2);
    save(dir / "t.npy", twelve());
    CHECK(run_tool({"compact", (dir / "t.npy").string()}).status == 2);
    CHECK(run_tool({"prune", "--keep=1", (dir / "missing").string()}).status == 2);
}

TEST_CASE("bench tells seconds and speed and leaves nothing", "[tool]") {
    temp_dir dir;
    save(dir / "t.npy", twelve());
    const auto file = (dir / "t.npy").string();

    const auto text = run_tool({"bench", "--rounds=1", file});
    const auto object = run_tool({"bench", "--rounds=1", "--json", file}).object();

    CHECK(text.status == 0);
    CHECK(text.has("save_sync"));
    CHECK(object["nbytes"] == 96);
    CHECK(object["load"]["seconds"].get<double>() > 0);
    CHECK(object["crc32c"].contains("megabytes_per_second"));
    tool::interrupted() = true;
    CHECK(run_tool({"bench", file}).status == 130);
    tool::interrupted() = false;
    CHECK(dir.files() == 1);
}

TEST_CASE("completion of every shell knows every command and its options", "[tool]") {
    for (const char* const shell : {"bash", "zsh", "fish"}) {
        const auto script = run_tool({"completion", shell});
        CHECK(script.status == 0);
        for (const auto& command : tool::commands()) {
            INFO(shell << ' ' << command.name);
            CHECK(script.has(std::string(command.name)));
            for (const auto& option : command.options)
                CHECK(script.has((shell == std::string("fish") ? " -l " : "--") + std::string(option.name.substr(2))));
        }
    }
    CHECK(run_tool({"completion", "csh"}).status == 2);
}

TEST_CASE("completion in zsh is a function of its completion system", "[tool]") {
    temp_dir dir;
    write_text(dir / "_ndkeep", run_tool({"completion", "zsh"}).out);
    if (run("zsh --version").status != 0) {
        WARN("no zsh: nothing checked");
        return;
    }
    const auto zsh = [&](const std::string& commands) {
        return run("cd '" + dir.path().string() + "' && zsh -fc 'autoload -U compinit; " + commands + "'").output;
    };
    CHECK(zsh("compinit -D -u; source ./_ndkeep; echo $_comps[ndkeep]") == "_ndkeep\n");
    CHECK(zsh("fpath=($PWD $fpath); compinit -D -u; echo $_comps[ndkeep]") == "_ndkeep\n");
    // A stand-in for `_arguments` prints the options that it gets.
    CHECK(zsh("compinit -D -u; source ./_ndkeep; _arguments() { print -rl -- \"$@\" }; words=(ndkeep ls x); CURRENT=3; "
              "_ndkeep")
              .find("\n--bytes[print sizes in bytes, without units]\n") != std::string::npos);
    CHECK(zsh("compinit -D -u; source ./_ndkeep; _arguments() { print -rl -- \"$@\" }; words=(ndkeep a.npy x); "
              "CURRENT=3; _ndkeep")
              .find("\n--all[") != std::string::npos);
}

TEST_CASE("completion in fish completes commands and options", "[tool]") {
    temp_dir dir;
    write_text(dir / "ndkeep.fish", run_tool({"completion", "fish"}).out);
    if (run("fish --version").status != 0) {
        WARN("no fish: nothing checked");
        return;
    }
    const auto completed = [&](const std::string& words) {
        return run("cd '" + dir.path().string() + "' && HOME=. fish -c 'source ./ndkeep.fish; complete -C \"" + words +
                   "\"'")
            .output;
    };
    CHECK(completed("ndkeep dif").starts_with("diff\t"));
    CHECK(completed("ndkeep diff --rt").starts_with("--rtol"));
    CHECK(completed("ndkeep diff --byt").empty());
    CHECK(completed("ndkeep help verif").starts_with("verify"));
    CHECK(completed("ndkeep completion z").starts_with("zsh"));
}

TEST_CASE("completion in bash completes commands, options and files", "[tool]") {
    temp_dir dir;
    write_text(dir / "ndkeep.bash", run_tool({"completion", "bash"}).out);
    save(dir / "some array.npy", twelve());
    if (run("bash --version").status != 0) {
        WARN("no bash: nothing checked");
        return;
    }
    const auto completed = [&](const std::string& words, int at) {
        return run("cd '" + dir.path().string() + "' && bash -c 'source ./ndkeep.bash; COMP_WORDS=(" + words +
                   "); COMP_CWORD=" + std::to_string(at) + "; _ndkeep; printf \"%s|\" \"${COMPREPLY[@]}\"'")
            .output;
    };
    CHECK(run("bash -n '" + (dir / "ndkeep.bash").string() + "'").output.empty());
    CHECK(completed("ndkeep dif", 1) == "diff|");
    CHECK(completed("ndkeep diff --rt", 2) == "--rtol|");
    CHECK(completed("ndkeep diff some", 2) == "some array.npy|");
    CHECK(completed("ndkeep some", 1) == "some array.npy|");
    CHECK(completed("ndkeep help verif", 2) == "verify|");
    CHECK(completed("ndkeep completion b", 2) == "bash|");
    CHECK(completed("ndkeep completion f", 2) == "fish|");
}

}  // namespace tool_upkeep_tests
