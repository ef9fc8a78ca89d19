// SPDX-License-Identifier: BSD-3-Clause
// Runs the commands of a recorded console session again, to compare what the tool prints with the record.
#pragma once

#include "tool/tool.hpp"

#include <filesystem>
#include <istream>
#include <sstream>
#include <string>
#include <vector>

/// Splits a command as a shell does: at blanks, except within single quotes.
[[nodiscard]] inline std::vector<std::string> words_of_command(const std::string& line) {
    std::vector<std::string> words;
    bool in_word = false, quoted = false;
    for (const char c : line) {
        if (c == ' ' && !quoted) {
            in_word = false;
            continue;
        }
        if (!in_word)
            words.emplace_back();
        in_word = true;
        if (c == '\'')
            quoted = !quoted;
        else
            words.back() += c;
    }
    return words;
}

/// A command with what is recorded and what the tool prints now: output and messages in one text.
struct recorded_command {
    std::string line;
    std::string expected = {};
    std::string printed = {};
    int status = -1;
};

/// Runs the commands of a session in the current folder. A line `$ ndkeep …` is a command; the lines up to the next
/// command are what it is expected to print, except empty lines.
[[nodiscard]] inline std::vector<recorded_command> replayed(std::istream& session) {
    std::vector<recorded_command> all;
    for (std::string line; std::getline(session, line);) {
        if (line.starts_with("$ ndkeep"))
            all.push_back({.line = line});
        else if (!line.empty() && !all.empty())
            all.back().expected += line + '\n';
    }
    for (auto& each : all) {
        auto words = words_of_command(each.line.substr(2));
        words.erase(words.begin());
        std::ostringstream now;
        each.status = tool::run(words, now, now);
        each.printed = now.str();
    }
    return all;
}
