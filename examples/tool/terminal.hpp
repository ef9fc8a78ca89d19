// SPDX-License-Identifier: BSD-3-Clause
// Properties of standard output: whether it is a terminal, its width, colours and characters.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include <sys/ioctl.h>  // TIOCGWINSZ: the width of a terminal has no other name
#include <unistd.h>

namespace tool {

/// What the output can show.
struct terminal {
    bool is_terminal = false;
    bool has_colour = false;
    bool has_unicode = true;  ///< block characters and box drawing
    std::size_t width = 80;   ///< in columns
};

/// @param colours  "auto", "always" or "never"; NO_COLOR affects "auto" only, as no-color.org specifies
[[nodiscard]] inline terminal terminal_of(const std::ostream& out, std::string_view colours) {
    const auto variable = [](const char* name) {
        const char* const text = std::getenv(name);
        return std::string_view(text == nullptr ? "" : text);
    };
    terminal found;
    found.is_terminal = &out == &std::cout && ::isatty(STDOUT_FILENO) == 1;
    winsize size = {};
    if (found.is_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0)
        found.width = size.ws_col;
    else if (const auto columns = variable("COLUMNS"); !columns.empty() && columns.size() < 5)
        if (const int width = std::atoi(columns.data()); width > 0)
            found.width = static_cast<std::size_t>(width);
    found.has_colour = colours == "always" || (colours == "auto" && found.is_terminal && variable("NO_COLOR").empty() &&
                                               variable("TERM") != "dumb");
    for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"})
        if (const auto locale = variable(name); !locale.empty()) {
            found.has_unicode = locale.find("UTF-8") != std::string_view::npos ||
                                locale.find("utf8") != std::string_view::npos ||
                                locale.find("UTF8") != std::string_view::npos;
            break;
        }
    return found;
}

/// `text` in an ANSI style, such as "1" for bold or "31" for red; unchanged if the output has no colours.
[[nodiscard]] inline std::string styled(const terminal& screen, std::string_view style, std::string_view text) {
    if (!screen.has_colour)
        return std::string(text);
    return "\x1b[" + std::string(style) + 'm' + std::string(text) + "\x1b[0m";
}

}  // namespace tool
