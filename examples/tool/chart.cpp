// SPDX-License-Identifier: BSD-3-Clause
#include "chart.hpp"

#include "output.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tool {

namespace {

constexpr colour band_colour = {158, 202, 225}, line_colour = {8, 69, 148};
constexpr std::size_t margin = 40;  // in pixels, around the picture of an SVG, for the labels

[[nodiscard]] std::string xml(std::string_view text) {
    std::string out;
    for (const char c : shown(text))
        out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
    return out;
}

[[nodiscard]] std::string pixels(double number) {
    std::array<char, 32> text = {};
    std::snprintf(text.data(), text.size(), "%.1f", number);
    return text.data();
}

[[nodiscard]] std::string label(double x, double y, std::string_view anchor, std::string_view text) {
    return "<text x=\"" + pixels(x) + "\" y=\"" + pixels(y) + "\" text-anchor=\"" + std::string(anchor) + "\">" +
           xml(text) + "</text>\n";
}

/// The frame of both kinds of charts: labels around a picture of this size.
[[nodiscard]] std::string framed(std::size_t width, std::size_t height, const chart_labels& labels,
                                 const std::string& inner) {
    const auto whole_width = std::to_string(width + 2 * margin), whole_height = std::to_string(height + 2 * margin);
    const auto left = static_cast<double>(margin), right = static_cast<double>(margin + width);
    const auto below = static_cast<double>(height + margin) + 16;
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + whole_width + "\" height=\"" + whole_height +
           "\" viewBox=\"0 0 " + whole_width + ' ' + whole_height +
           "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" +
           label(left, static_cast<double>(margin) - 22, "start", labels.title) + inner +
           label(left, below, "start", labels.first) + label(right, below, "end", labels.last) + "</svg>\n";
}

}  // namespace

picture map_picture(const sampled_grid& grid, double low, double high, std::size_t scale) {
    picture out(grid.columns * scale, grid.rows * scale);
    for (std::size_t y = 0; y < out.height(); ++y)
        for (std::size_t x = 0; x < out.width(); ++x)
            if (const auto shown = grid.colour_at(y / scale, x / scale, low, high))
                out.set(x, y, *shown);
    return out;
}

picture line_picture(const sampled_grid& grid, double low, double high, std::size_t height) {
    picture out(grid.columns, height);
    const auto row_of = [&](double number) {
        return height - 1 -
               static_cast<std::size_t>(std::lround(part_of(number, low, high) * static_cast<double>(height - 1)));
    };
    for (std::size_t x = 0; x < grid.columns; ++x) {
        if (std::isnan(grid.mean[x]))
            continue;
        for (std::size_t y = row_of(grid.high[x]); y <= row_of(grid.low[x]); ++y)
            out.set(x, y, band_colour);
        const std::size_t here = row_of(grid.mean[x]);
        const std::size_t before = x == 0 || std::isnan(grid.mean[x - 1]) ? here : row_of(grid.mean[x - 1]);
        for (std::size_t y = std::min(here, before); y <= std::max(here, before); ++y)
            out.set(x, y, line_colour);
    }
    return out;
}

std::string map_svg(const picture& map, const chart_labels& labels) {
    constexpr std::size_t steps = 64, bar = 128, thickness = 8;
    picture scale(steps, 1);
    for (std::size_t x = 0; x < steps; ++x)
        scale.set(x, 0, colour_of(static_cast<double>(x) / (steps - 1)));
    const auto image = [](const picture& of, std::size_t x, std::size_t y, std::size_t width, std::size_t height) {
        return "<image x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" width=\"" +
               std::to_string(width) + "\" height=\"" + std::to_string(height) +
               "\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64," +
               base64(of.png()) + "\"/>\n";
    };
    const std::size_t width = std::max(map.width(), bar + 2 * margin);
    const std::size_t begin = margin + (width - bar) / 2, top = map.height() + margin + margin / 2;
    const auto under = static_cast<double>(top + thickness);
    const auto drawn = image(map, margin, margin, map.width(), map.height());
    if (labels.low.empty())
        return framed(width, map.height(), labels, drawn);
    return framed(width, map.height(), labels,
                  drawn + image(scale, begin, top, bar, thickness) +
                      label(static_cast<double>(begin) - 4, under, "end", labels.low) +
                      label(static_cast<double>(begin + bar) + 4, under, "start", labels.high));
}

std::string line_svg(const sampled_grid& grid, double low, double high, std::size_t width, std::size_t height,
                     const chart_labels& labels) {
    const auto x_of = [&](std::size_t cell) {
        return static_cast<double>(margin) +
               (static_cast<double>(cell) + 0.5) * static_cast<double>(width) / static_cast<double>(grid.columns);
    };
    const auto y_of = [&](double number) {
        return static_cast<double>(margin) + (1 - part_of(number, low, high)) * static_cast<double>(height);
    };
    const auto point = [&](std::size_t cell, double number) { return pixels(x_of(cell)) + ',' + pixels(y_of(number)); };
    std::string inner = "<rect x=\"" + std::to_string(margin) + "\" y=\"" + std::to_string(margin) + "\" width=\"" +
                        std::to_string(width) + "\" height=\"" + std::to_string(height) +
                        "\" fill=\"none\" stroke=\"#999\"/>\n";
    for (std::size_t begin = 0; begin < grid.columns;) {
        std::size_t end = begin;  // end of a run of columns without gaps
        std::string there, back, line;
        for (; end < grid.columns && !std::isnan(grid.mean[end]); ++end) {
            there += point(end, grid.high[end]) + ' ';
            back.insert(0, point(end, grid.low[end]) + ' ');
            line += point(end, grid.mean[end]) + ' ';
        }
        if (end != begin)
            inner += "<polygon points=\"" + there + back + "\" fill=\"#9ecae1\" stroke=\"#9ecae1\"/>\n" +
                     "<polyline points=\"" + line + "\" fill=\"none\" stroke=\"#084594\" stroke-linecap=\"round\"/>\n";
        begin = end + 1;
    }
    const auto left = static_cast<double>(margin);
    return framed(width, height, labels,
                  inner + label(left, left - 4, "start", labels.high) +
                      label(left + 4, static_cast<double>(margin + height) - 4, "start", labels.low));
}

}  // namespace tool
