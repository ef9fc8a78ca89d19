// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: "-" is standard input for the commands that read files.
#include "support/faults.hpp"
#include "tool/input_copy.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <set>

#include <stdlib.h>  // setenv
#include <unistd.h>  // lseek

namespace tool_input_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// Runs the tool with this file as standard input. The output must not differ from that for the file, but for its name.
void check_same_output(const fs::path& file, std::vector<std::string> args) {
    CAPTURE(args);
    const auto run = [&](const std::string& word) {
        auto all = args;
        for (auto& each : all)
            if (each == "FILE")
                each = word;
        return run_tool(all);
    };
    const auto renamed = [](std::string text, const std::string& from, const std::string& to) {
        for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
            text.replace(at, from.size(), to);
        return text;
    };
    const auto of_file = run(file.string());
    const input_from in(file);
    const auto of_input = run("-");
    CHECK(of_input.status == of_file.status);
    CHECK(of_input.out == renamed(of_file.out, file.string(), "-"));
    CHECK(of_input.err == renamed(of_file.err, file.string(), "-"));
}

/// Sets the folder of temporary files. Other tests, which run at the same time, use another one.
class temporary_files_in {
  public:
    explicit temporary_files_in(const fs::path& folder) {
        if (const char* const former = std::getenv("TMPDIR"))
            former_ = former;
        ::setenv("TMPDIR", folder.c_str(), 1);
    }
    temporary_files_in(const temporary_files_in&) = delete;
    temporary_files_in& operator=(const temporary_files_in&) = delete;
    ~temporary_files_in() {
        if (former_)
            ::setenv("TMPDIR", former_->c_str(), 1);
        else
            ::unsetenv("TMPDIR");
    }

  private:
    std::optional<std::string> former_;
};

/// The folders of copies of standard input.
std::set<fs::path> copies() {
    std::set<fs::path> all;
    for (const auto& entry : fs::directory_iterator(fs::temp_directory_path()))
        if (entry.path().filename().string().starts_with("ndkeep-input-"))
            all.insert(entry.path());
    return all;
}

}  // namespace

TEST_CASE("reading commands take standard input as an npy file", "[tool]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve());

    for (const std::vector<std::string>& args : {std::vector<std::string>{"info", "FILE"},
                                                 {"info", "--json", "FILE"},
                                                 {"show", "FILE", "[1]"},
                                                 {"stats", "FILE"},
                                                 {"stats", "--json", "FILE"},
                                                 {"heat", "FILE"},
                                                 {"verify", "FILE"},
                                                 {"verify", "--md5", "FILE"},
                                                 {"diff", "FILE", (dir / "t.npy").string()}})
        check_same_output(dir / "t.npy", args);
}

TEST_CASE("reading commands take standard input as an npz archive", "[tool]") {
    const temp_dir dir;
    save_npz(dir / "t.npz", {{"a", twelve(), {.compress = true}}, {"b", twelve()}});

    for (const std::vector<std::string>& args : {std::vector<std::string>{"info", "FILE"},
                                                 {"show", "--member", "b", "FILE"},
                                                 {"stats", "FILE"},
                                                 {"verify", "FILE"}})
        check_same_output(dir / "t.npz", args);
}

TEST_CASE("problems of standard input are reported under its name", "[tool][error]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve());
    fs::resize_file(dir / "t.npy", 200);

    check_same_output(dir / "t.npy", {"show", "FILE"});
    check_same_output(dir / "t.npy", {"verify", "FILE"});
}

TEST_CASE("the copy of standard input is removed", "[tool]") {
    const temp_dir dir, temporary;
    const temporary_files_in folder(temporary.path());
    save(dir / "t.npy", twelve());
    write_text(dir / "bad.npy", "bad");
    for (const auto* name : {"t.npy", "bad.npy"}) {
        const input_from in(dir / name);
        (void)run_tool({"show", "-"});
    }

    CHECK(copies().empty());
}

TEST_CASE("verify writes no sidecar for standard input", "[tool][error]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve());
    const input_from in(dir / "t.npy");

    const auto said = run_tool({"verify", "--write", "-"});

    CHECK(said.status == 2);
    CHECK(said.warns("--write needs a file"));
}

TEST_CASE("the copy of standard input is removed if a signal ends the process", "[tool]") {
    const temp_dir dir, temporary;
    const temporary_files_in folder(temporary.path());
    save(dir / "t.npy", twelve());
    for (const int signal : {SIGPIPE, SIGTERM, SIGHUP}) {
        const auto end = faults::in_child([&]() -> std::string {
            std::signal(signal, SIG_DFL);
            const input_from in(dir / "t.npy");
            const tool::input_copy copy;
            if (copies().empty())
                return "no copy";
            ::raise(signal);
            return "still here";
        });

        CHECK(end.said == " ended with status " + std::to_string(signal));
        CHECK(copies().empty());
    }
}

TEST_CASE("a signal that is ignored stays ignored while standard input is copied", "[tool]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve());

    const auto end = faults::in_child([&]() -> std::string {
        std::signal(SIGHUP, SIG_IGN);
        const input_from in(dir / "t.npy");
        const tool::input_copy copy;
        ::raise(SIGHUP);
        return "";
    });

    CHECK(end.said == "");
}

TEST_CASE("without a folder for temporary files, standard input is an error with the reason", "[tool][error]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve());

    const auto end = faults::in_child([&]() -> std::string {
        ::setenv("TMPDIR", (dir / "absent").c_str(), 1);
        const input_from in(dir / "t.npy");
        return run_tool({"show", "-"}).err;
    });

    CHECK(end.said.starts_with("ndkeep: TMPDIR: names no folder for temporary files: "));
}

TEST_CASE("options are checked before standard input is read", "[tool][error]") {
    const temp_dir dir;
    write_text(dir / "t.npy", "bad");
    const input_from in(dir / "t.npy");

    CHECK(run_tool({"show", "--threads=x", "-"}).warns("--threads is 'x'"));
    CHECK(::lseek(STDIN_FILENO, 0, SEEK_CUR) == 0);
}

TEST_CASE("csv that begins like an archive is read as csv", "[tool]") {
    const temp_dir dir;
    write_text(dir / "t.csv", "PKX,1\n");
    const input_from in(dir / "t.csv");

    const auto said = run_tool({"convert", "--dtype", "[('a', 'S3'), ('b', 'i4')]", "-", (dir / "a.npy").string()});

    CHECK(said.err.find("archive") == std::string::npos);
    CHECK(said.status == 0);
}

TEST_CASE("convert reads an npz archive from standard input", "[tool]") {
    const temp_dir dir;
    save_npz(dir / "t.npz", {{"a", twelve()}});
    save(dir / "expected.npy", twelve());
    const input_from in(dir / "t.npz");

    const auto said = run_tool({"convert", "-", (dir / "a.npy").string()});

    CHECK(said.status == 0);
    CHECK((read_text(dir / "a.npy") == read_text(dir / "expected.npy")));
}

}  // namespace tool_input_tests
