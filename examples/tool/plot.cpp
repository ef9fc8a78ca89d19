// SPDX-License-Identifier: BSD-3-Clause
#include "plot.hpp"

#include "picture.hpp"

#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace tool {

namespace {

constexpr std::array<std::string_view, 9> letters = {".", ":", "-", "=", "+", "*", "#", "%", "@"};
constexpr std::uint8_t least_alpha = 128;  // a terminal has no transparency: other cells are gaps
constexpr std::array<std::string_view, 4> shades = {"░", "▒", "▓", "█"};

template <std::size_t N>
[[nodiscard]] std::string_view level(const std::array<std::string_view, N>& from, double part) {
    return from[std::min(N - 1, static_cast<std::size_t>(part * static_cast<double>(N)))];
}

/// The nearest colour of a 256-colour terminal, from its cube of six levels per component.
[[nodiscard]] std::string code_of(colour wanted, bool true_colour) {
    const auto text = [](std::uint8_t value) { return std::to_string(int{value}); };
    if (true_colour)
        return "2;" + text(wanted.red) + ';' + text(wanted.green) + ';' + text(wanted.blue);
    const auto side = [](std::uint8_t value) { return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40; };
    return "5;" + std::to_string(16 + 36 * side(wanted.red) + 6 * side(wanted.green) + side(wanted.blue));
}

/// A line of coloured characters. An escape sequence is written only where the colour changes.
class coloured_line {
  public:
    /// @param front, back  colour codes; empty for the terminal's default
    void add(std::string_view character, const std::string& front, const std::string& back) {
        if (front != front_ || back != back_) {
            if (!front_.empty() || !back_.empty())
                text_ += "\x1b[0m";
            if (!front.empty())
                text_ += "\x1b[38;" + front + 'm';
            if (!back.empty())
                text_ += "\x1b[48;" + back + 'm';
            front_ = front;
            back_ = back;
        }
        text_ += character;
    }
    [[nodiscard]] std::string ended() {
        add("", "", "");
        return std::move(text_);
    }

  private:
    std::string text_, front_, back_;
};

}  // namespace

std::string heat_map(const sampled_grid& grid, double low, double high, cell_size cell, const pen& with) {
    const std::size_t in_line = cells_in_line(with);
    const std::size_t heights = grid.rows * cell.height;
    std::string out;
    for (std::size_t top = 0; top < heights; top += in_line) {
        coloured_line line;
        for (std::size_t x = 0; x < grid.columns * cell.width; ++x) {
            if (!with.colours) {
                const double number = grid.at(top / cell.height, x / cell.width), part = part_of(number, low, high);
                line.add(std::isnan(number) ? " " : with.blocks ? level(shades, part) : level(letters, part), "", "");
                continue;
            }
            // A code is empty for a gap.
            const auto code = [&](std::size_t y) {
                const auto of = y < heights ? grid.colour_at(y / cell.height, x / cell.width, low, high) : std::nullopt;
                return of && of->alpha >= least_alpha ? code_of(*of, with.true_colour) : std::string();
            };
            const auto upper = code(top);
            if (in_line == 1) {
                line.add(" ", "", upper);
                continue;
            }
            const auto lower = code(top + 1);
            if (!upper.empty())
                line.add("▀", upper, lower);
            else
                line.add(lower.empty() ? " " : "▄", lower, "");
        }
        out += line.ended() + '\n';
    }
    return out;
}

std::string heat_scale(const pen& with) {
    if (!with.colours) {
        std::string out;
        if (with.blocks)
            for (const auto each : shades)
                out += each;
        else
            for (const auto each : letters)
                out += each;
        return out;
    }
    constexpr std::size_t steps = 16;
    coloured_line line;
    for (std::size_t i = 0; i < steps; ++i)
        line.add(" ", "", code_of(colour_of(static_cast<double>(i) / (steps - 1)), with.true_colour));
    return line.ended();
}

std::vector<std::string> line_plot(const sampled_grid& grid, double low, double high, std::size_t width,
                                   std::size_t height, const pen& with) {
    const std::size_t across = with.blocks ? 2 : 1, down = with.blocks ? 4 : 1;
    const std::size_t dots = height * down;
    struct dot_column {
        std::size_t top = 1, bottom = 0, middle = 0;  // empty if `top` is greater than `bottom`
    };
    const auto dot_of = [&](double number) {
        return dots - 1 -
               static_cast<std::size_t>(std::lround(part_of(number, low, high) * static_cast<double>(dots - 1)));
    };
    std::vector<dot_column> columns(width * across);
    for (std::size_t x = 0; x < columns.size() && grid.columns != 0; ++x) {
        const std::size_t cell = x * grid.columns / columns.size();
        if (std::isnan(grid.mean[cell]))
            continue;
        auto& column = columns[x];
        column = {dot_of(grid.high[cell]), dot_of(grid.low[cell]), dot_of(grid.mean[cell])};
        // Adjacent columns are extended until they touch, so that single values form a continuous line too.
        if (x != 0 && columns[x - 1].top <= columns[x - 1].bottom) {
            const auto& before = columns[x - 1];
            if (before.bottom + 1 < column.top)
                column.top = before.bottom + 1;
            else if (before.top > column.bottom + 1)
                column.bottom = before.top - 1;
        }
    }
    std::vector<std::string> out;
    for (std::size_t y = 0; y < height; ++y) {
        std::string line;
        for (std::size_t x = 0; x < width; ++x) {
            if (!with.blocks) {
                const auto& column = columns[x];
                const bool is_in = column.top <= y && y <= column.bottom;
                line += !is_in ? ' ' : y == column.middle ? '*' : '|';
                continue;
            }
            // The bits of a braille character: two columns of four dots.
            constexpr std::array<std::array<unsigned, 4>, 2> bits = {
                {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}};
            unsigned dots_here = 0;
            for (std::size_t i = 0; i < across; ++i)
                for (std::size_t j = 0; j < down; ++j) {
                    const auto& column = columns[x * across + i];
                    if (column.top <= y * down + j && y * down + j <= column.bottom)
                        dots_here |= bits[i][j];
                }
            constexpr char32_t no_dots = 0x2800;
            if (dots_here == 0)
                line += ' ';
            else
                ndkeep::core::append_utf8(line, no_dots + dots_here);
        }
        line.resize(line.find_last_not_of(' ') + 1);
        if (with.colours && !line.empty())
            line = "\x1b[36m" + line + "\x1b[0m";
        out.push_back(std::move(line));
    }
    return out;
}

}  // namespace tool
