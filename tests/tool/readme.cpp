// SPDX-License-Identifier: BSD-3-Clause
// What examples/tool/README.md shows of the tool is what the tool prints.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "tool/tool.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace tool_readme_tests {

namespace fs = std::filesystem;

namespace {

/// A command as a shell would take it apart: words between blanks, or between single quotes.
std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    bool in_word = false, quoted = false;
    for (const char c : line) {
        if (c == '\'') {
            quoted = !quoted;
            if (quoted)
                words.emplace_back();
        } else if (c == ' ' && !quoted) {
            in_word = false;
            continue;
        } else {
            if (!in_word && !quoted)
                words.emplace_back();
            words.back() += c;
        }
        in_word = true;
    }
    return words;
}

/// A folder to be in for a while.
class inside {
  public:
    explicit inside(const fs::path& folder) : former_(fs::current_path()) { fs::current_path(folder); }
    inside(const inside&) = delete;
    inside& operator=(const inside&) = delete;
    ~inside() { fs::current_path(former_); }

  private:
    fs::path former_;
};

}  // namespace

TEST_CASE("the README's transcript is what the tool prints", "[tool]") {
    const fs::path source = NDKEEP_SOURCE_DIR;
    const temp_dir dir;
    for (const auto& entry : fs::directory_iterator(source / "examples" / "data"))
        fs::copy_file(entry.path(), dir / entry.path().filename());
    std::ifstream readme(source / "examples" / "tool" / "README.md");
    const inside here(dir.path());

    std::string expected;
    std::ostringstream now;
    bool in_transcript = false;
    std::size_t commands = 0;
    for (std::string line; std::getline(readme, line);) {
        if (line == "```console" || (in_transcript && line == "```")) {
            in_transcript = line == "```console";
            continue;
        }
        if (!in_transcript)
            continue;
        expected += line + '\n';
        if (!line.starts_with("$ "))
            continue;
        now << line << '\n';
        auto words = words_of(line.substr(2));
        REQUIRE(words.front() == "ndkeep");
        words.erase(words.begin());
        (void)tool::run(words, now, now);
        ++commands;
    }

    CHECK(commands >= 5);
    CHECK(now.str() == expected);
}

}  // namespace tool_readme_tests
