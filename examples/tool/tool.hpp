// SPDX-License-Identifier: BSD-3-Clause
// The tool as a function, and what a command of it is. A command is a file command_NAME.cpp with a function
// `command NAME_command()`, declared in commands.hpp and listed once in tool.cpp.
#pragma once

#include "arguments.hpp"
#include "terminal.hpp"

#include <ndkeep/work/progress.hpp>

#include <atomic>
#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// What the process returns, as h5diff does.
enum class outcome : int { fine = 0, findings = 1, failure = 2, interrupted = 130 };

/// What a command is called with.
struct context {
    const arguments& given;
    std::ostream& out;  ///< data, and nothing else
    std::ostream& err;  ///< all that is said besides
    terminal screen = {};
    bool quiet = false;
    ndkeep::run_options run = {};  ///< threads, a progress bar if somebody looks at it, and Ctrl-C
};

struct command {
    std::string_view name;
    std::string_view summary;          ///< one line, without a full stop
    std::string_view usage;            ///< what follows the name: "[OPTION]... FILE..."
    std::string_view details;          ///< more lines for its own help; may be empty
    std::vector<option> options = {};  ///< besides `common_options`
    std::string_view example;          ///< one or more lines of a shell
    std::size_t least_words = 0;
    std::size_t most_words = 0;
    outcome (*run)(const context&) = nullptr;
};

/// As many words as one likes.
inline constexpr std::size_t any_number = static_cast<std::size_t>(-1);

/// For every reading command: one object of JSON a line instead of text.
inline constexpr option json_option = {"--json", "", "one JSON object a line instead of text; keys stay as they are"};

/// In the order of the help.
[[nodiscard]] const std::vector<command>& commands();
/// Options that every command has: --color, --threads, --quiet, --help.
[[nodiscard]] std::span<const option> common_options();

/// Runs the tool with what follows its name. Throws nothing: whatever goes wrong is a line in `err`.
/// @return the exit status
[[nodiscard]] int run(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

/// Set by Ctrl-C, and looked at by everything that takes `run_options`.
[[nodiscard]] std::atomic<bool>& interrupted() noexcept;
/// @throws ndkeep::io_error  after Ctrl-C
void check_interrupted(const std::filesystem::path& file);

}  // namespace tool
