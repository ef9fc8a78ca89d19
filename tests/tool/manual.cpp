// SPDX-License-Identifier: BSD-3-Clause
// The manual page that examples/tool/man.sh makes from the help texts.
#include "support/python.hpp"
#include "tool/run_tool.hpp"

namespace tool_manual_tests {

namespace {

namespace fs = std::filesystem;

/// Makes a script that prints the help texts as the tool does, and returns its manual page.
[[nodiscard]] std::string manual(const temp_dir& dir) {
    write_text(dir / "--version", run_tool({"--version"}).out);
    write_text(dir / "--help", run_tool({"--help"}).out);
    for (const auto& command : tool::commands())
        write_text(dir / ("help " + std::string(command.name)), run_tool({"help", std::string(command.name)}).out);
    write_text(dir / "ndkeep", "#!/bin/sh\ncat \"${0%/*}/$*\"\n");
    fs::permissions(dir / "ndkeep", fs::perms::owner_exec, fs::perm_options::add);
    const auto script = fs::path(NDKEEP_SOURCE_DIR) / "examples/tool/man.sh";
    const auto made = run("sh '" + script.string() + "' '" + (dir / "ndkeep").string() + "'");
    CHECK(made.status == 0);
    return made.output;
}

[[nodiscard]] std::string with_roff_hyphens(std::string_view text) {
    std::string out;
    for (const char c : text)
        out += c == '-' ? "\\-" : std::string(1, c);
    return out;
}

}  // namespace

TEST_CASE("the manual page has every command and option", "[tool]") {
    const temp_dir dir;
    const auto page = manual(dir);

    CHECK(page.starts_with(".TH NDKEEP 1 \"\" \"ndkeep "));
    for (const char* const section :
         {"NAME", "SYNOPSIS", "DESCRIPTION", "COMMON OPTIONS", "BUCKETS", "EXIT STATUS", "COMMANDS"})
        CHECK(page.find(std::string("\n.SH ") + section + '\n') != std::string::npos);
    for (const auto& command : tool::commands()) {
        INFO(command.name);
        const auto begin = page.find("\n.SS " + std::string(command.name) + '\n');
        REQUIRE(begin != std::string::npos);
        const auto section = page.substr(begin, page.find("\n.SS ", begin + 1) - begin);
        CHECK(section.find("\n" + with_roff_hyphens(command.summary) + ".\n") != std::string::npos);
        for (const auto& option : command.options)
            CHECK(section.find(with_roff_hyphens(option.name)) != std::string::npos);
        CHECK(section.find("\n.EX\nndkeep " + std::string(command.name)) != std::string::npos);
    }
    CHECK(page.find(".B \\-\\-threads") == page.rfind(".B \\-\\-threads"));
}

TEST_CASE("the manual page has no line that roff misreads", "[tool]") {
    const temp_dir dir;
    write_text(dir / "ndkeep.1", manual(dir));

    CHECK(read_text(dir / "ndkeep.1").find('\'') == std::string::npos);
    if (run("groff --version").status != 0) {
        WARN("no groff: nothing checked");
        return;
    }
    CHECK(run("groff -man -Tascii -ww -z '" + (dir / "ndkeep.1").string() + "'").output.empty());
}

}  // namespace tool_manual_tests
