// SPDX-License-Identifier: BSD-3-Clause
// The transcript in examples/tool/README.md is what the tool prints.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "tool/transcript.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tool_readme_tests {

namespace fs = std::filesystem;

TEST_CASE("the README's transcript is what the tool prints", "[tool]") {
    const fs::path source = NDKEEP_SOURCE_DIR;
    const temp_dir dir;
    for (const auto& entry : fs::directory_iterator(source / "examples" / "data"))
        fs::copy_file(entry.path(), dir / entry.path().filename());
    std::ifstream readme(source / "examples" / "tool" / "README.md");
    std::stringstream session;
    bool in_transcript = false;
    for (std::string line; std::getline(readme, line);) {
        if (line == "```console" || (in_transcript && line == "```"))
            in_transcript = line == "```console";
        else if (in_transcript)
            session << line << '\n';
    }
    const in_directory here(dir.path());

    const auto commands = replayed(session);

    CHECK(commands.size() >= 5);
    for (const auto& each : commands) {
        INFO(each.line);
        CHECK(each.printed == each.expected);
    }
}

}  // namespace tool_readme_tests
