// SPDX-License-Identifier: BSD-3-Clause
// The tool as a function, and the interface of a command. Each command is a file command_NAME.cpp with a function
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

/// Exit status of the process; 0, 1 and 2 mean the same as in h5diff.
enum class outcome : int { fine = 0, findings = 1, failure = 2, interrupted = 130 };

/// Everything a command gets when it runs.
struct context {
    const arguments& given;
    std::ostream& out;  ///< data only
    std::ostream& err;  ///< messages
    terminal screen = {};
    bool quiet = false;
    ndkeep::run_options run = {};  ///< threads, a progress bar on a terminal, and cancellation by Ctrl-C
};

struct command {
    std::string_view name;
    std::string_view summary;          ///< one line, without a full stop
    std::string_view usage;            ///< text after the name: "[OPTION]... FILE..."
    std::string_view details;          ///< further lines for the command's help; may be empty
    std::vector<option> options = {};  ///< in addition to `common_options`
    std::string_view example;          ///< one or more shell command lines
    std::size_t least_words = 0;
    std::size_t most_words = 0;
    outcome (*run)(const context&) = nullptr;
    bool reads_input = false;  ///< whether "-" among the words is a copy of standard input
};

/// No limit on the number of words.
inline constexpr std::size_t any_number = static_cast<std::size_t>(-1);

/// For every reading command: one JSON object per line instead of text.
inline constexpr option json_option = {"--json", "", "print one JSON object per line instead of text"};

/// For every command that replaces a file.
inline constexpr option replace_read_only_option = {"--replace-read-only", "",
                                                    "replace a write-protected file, if the folder permits it"};

/// All commands in the order of the help.
[[nodiscard]] const std::vector<command>& commands();
/// Options of every command: --color, --threads, --quiet, --help.
[[nodiscard]] std::span<const option> common_options();

/// Runs the tool with the arguments after its name. Throws nothing: every error is reported as a line in `err`.
/// @return the exit status
[[nodiscard]] int run(const std::vector<std::string>& args, std::ostream& out, std::ostream& err);

/// The sentence of an error, with the tool's name of an option of the library.
[[nodiscard]] std::string message_of(const ndkeep::error& problem);

/// The flag that Ctrl-C sets. Everything that takes `run_options` polls it.
[[nodiscard]] std::atomic<bool>& interrupted() noexcept;
/// @throws ndkeep::io_error  after Ctrl-C
void check_interrupted(const std::filesystem::path& file);

}  // namespace tool
