// SPDX-License-Identifier: BSD-3-Clause
// heat: draws a plane of an array as a heat map, or a line as a plot.
#include "array_word.hpp"
#include "chart.hpp"
#include "commands.hpp"
#include "drawing.hpp"
#include "output.hpp"
#include "plot.hpp"
#include "time_text.hpp"
#include "values.hpp"

#include <ndkeep/os/replace.hpp>

#include <array>
#include <cmath>
#include <cstdio>

namespace tool {

namespace {

namespace nk = ndkeep;

struct size_wanted {
    std::size_t width, height;
};

[[nodiscard]] size_wanted size_of(const context& with, size_wanted otherwise) {
    const std::size_t least = 1, most = 4096;
    return {with.given.number("--width", otherwise.width, least, most),
            with.given.number("--height", otherwise.height, least, most)};
}

/// A number as text in the array's kind: counts of time are printed as dates.
[[nodiscard]] std::string number_text(const nk::dtype& type, double number) {
    constexpr double largest = 9e18;
    constexpr int digits = 6;
    if (type.is_time() && std::abs(number) < largest)
        return lone_time(type, static_cast<std::int64_t>(number));
    return brief(number, digits);
}

/// The sampled data, its source and the range of its numbers.
struct drawing {
    const stored_array& array;
    const drawn_part& what;
    sampled_grid grid = {};
    double low = 0, high = 0;

    drawing(const stored_array& of, const drawn_part& part, std::size_t rows, std::size_t columns)
        : array(of), what(part) {
        const auto extent = [&](std::size_t i, std::size_t cells) {
            return static_cast<std::size_t>(std::min<std::uint64_t>(what.extent(i), cells));
        };
        grid = what.is_line() ? sample(array, what, 1, extent(0, columns))
                              : sample(array, what, extent(0, rows), extent(1, columns));
        constexpr double darkest = 0, brightest = 255;
        std::tie(low, high) =
            is_picture() ? std::pair(darkest, brightest) : range_of(what.is_line() ? both() : grid.mean);
    }

    [[nodiscard]] bool is_picture() const { return what.channels != 0; }
    [[nodiscard]] std::string low_text() const { return number_text(what.part.type, low); }
    [[nodiscard]] std::string high_text() const { return number_text(what.part.type, high); }

    /// The array name and the selection: the slices as given, or the indexes chosen for axes that are not drawn.
    [[nodiscard]] std::string title(const std::string& slices) const {
        std::string taken = slices;
        const auto is_index = [](const axis_slice& axis) { return axis.is_index; };
        if (slices.empty() && std::any_of(what.slices.begin(), what.slices.end(), is_index)) {
            for (const auto& axis : what.slices)
                taken += (taken.empty() ? "[" : ", ") + (axis.is_index ? std::to_string(axis.first) : ":");
            taken += ']';
        }
        return shown(array.name()) + (what.part.path.empty() ? "" : ' ' + shown(what.part.path)) +
               (taken.empty() ? "" : ' ' + shown(taken));
    }

    /// What is drawn: "8759 elements, means and ranges".
    [[nodiscard]] std::string remarks() const {
        std::string text = what.is_line() ? nk::counted(what.extent(0), "element")
                                          : nk::counted(what.extent(0), "row") + " down, " +
                                                nk::counted(what.extent(1), "column") + " across";
        const bool is_reduced = what.is_line() ? grid.columns < what.extent(0)
                                               : grid.rows < what.extent(0) || grid.columns < what.extent(1);
        if (is_reduced)
            text += std::string(", ") + (what.is_line() ? "means and ranges" : "means") +
                    (grid.is_sampled ? " of samples" : "");
        if (is_picture())
            text += what.channels == 3 ? ", RGB" : ", RGBA";
        if (grid.missing != 0)
            text += ", " + std::to_string(grid.missing) + (what.part.type.is_floating_point() ? " NaN" : " missing");
        return text;
    }

  private:
    [[nodiscard]] std::vector<double> both() const {
        auto numbers = grid.low;
        numbers.insert(numbers.end(), grid.high.begin(), grid.high.end());
        return numbers;
    }
};

void draw_line(const context& with, const pen& drawn_with, size_wanted size, const stored_array& array,
               const drawn_part& what, const std::string& slices) {
    // The width of the labels is known only after sampling, which needs the width. So 12 columns are reserved.
    constexpr std::size_t labels = 12;
    const std::size_t width = size.width - std::min(size.width - 1, labels);
    const drawing all(array, what, 1, cells_across(drawn_with, width));
    const auto low = all.low_text(), high = all.high_text();
    const std::size_t indent = std::max({low.size(), high.size(), labels - 2});
    const auto right = [&](const std::string& text) { return std::string(indent - text.size(), ' ') + text; };
    const auto lines = line_plot(all.grid, all.low, all.high, width, size.height, drawn_with);
    const std::string_view bar = drawn_with.blocks ? "│" : "|", corner = drawn_with.blocks ? "└" : "+",
                           dash = drawn_with.blocks ? "─" : "-";
    with.out << all.title(slices) << '\n';
    for (std::size_t y = 0; y < lines.size(); ++y)
        with.out << right(y == 0 ? high : y + 1 == lines.size() ? low : "") << ' ' << bar << lines[y] << '\n';
    with.out << std::string(indent + 1, ' ') << corner;
    for (std::size_t x = 0; x < width; ++x)
        with.out << dash;
    with.out << '\n' << std::string(indent + 2, ' ') << all.remarks() << '\n';
}

void draw_map(const context& with, const pen& drawn_with, size_wanted size, const stored_array& array,
              const drawn_part& what, const std::string& slices) {
    const std::size_t in_line = cells_in_line(drawn_with);
    const drawing all(array, what, size.height * in_line, size.width);
    cell_size cell;
    if (all.grid.rows != 0 && all.grid.columns != 0) {
        cell = {size.width / all.grid.columns, size.height * in_line / all.grid.rows};
        const std::size_t square = 2 / in_line;  // a character is about twice as high as it is wide
        if (cell.width > 1 && cell.height > 1) {
            cell.height = std::min(cell.height, std::max<std::size_t>(1, cell.width / square));
            cell.width = std::min(cell.width, cell.height * square);
        } else {
            cell.height = 1;
        }
    }
    with.out << all.title(slices) << '\n' << heat_map(all.grid, all.low, all.high, cell, drawn_with);
    if (!all.is_picture())
        with.out << all.low_text() << ' ' << heat_scale(drawn_with) << ' ' << all.high_text() << "  ";
    with.out << all.remarks() << '\n';
}

/// Writes a file through a temporary one, so that it is replaced completely or not at all.
void write_file(const context& with, const std::filesystem::path& path, const stored_array& array,
                const std::string& bytes) {
    std::error_code ignored;
    if (std::filesystem::equivalent(path, array.file, ignored))
        throw usage_error("the picture " + nk::quoted(path.string()) + " is the input file, expected another file");
    nk::replacement next(path, nk::read_only_files_of(with.run.replace_read_only));
    next.content().write(0, std::as_bytes(std::span(bytes)));
    next.commit(ndkeep::durability::when_convenient);
    if (!with.quiet)
        with.err << shown(array.name()) << " -> " << shown_path(path) << ' ' << human_bytes(bytes.size()) << '\n';
}

void write_pictures(const context& with, const stored_array& array, const drawn_part& what, const std::string& slices) {
    const auto size = size_of(with, what.is_line() ? size_wanted{800, 300} : size_wanted{800, 600});
    const drawing all(array, what, size.height, size.width);
    if (all.grid.rows * all.grid.columns == 0)
        throw nk::mismatch_error({.file = array.file,
                                  .field = "shape of the selection",
                                  .expected = "at least 1 element",
                                  .found = nk::shape_text(shape_of(what.slices))});
    const std::string last = std::to_string(what.extent(what.axes.size() - 1) - 1);
    const chart_labels labels{all.title(slices), all.is_picture() ? "" : all.low_text(),
                              all.is_picture() ? "" : all.high_text(), "0", last};
    const std::size_t scale =
        std::max<std::size_t>(1, std::min(size.width / all.grid.columns, size.height / all.grid.rows));
    const auto drawn = what.is_line() ? line_picture(all.grid, all.low, all.high, size.height)
                                      : map_picture(all.grid, all.low, all.high, scale);
    if (const auto path = with.given.value("--png"))
        write_file(with, *path, array, drawn.png());
    if (const auto path = with.given.value("--svg"))
        write_file(with, *path, array,
                   what.is_line() ? line_svg(all.grid, all.low, all.high, size.width, size.height, labels)
                                  : map_svg(drawn, labels));
}

/// A colour as in CSS: "#4401ff", with alpha "#4401ff80".
[[nodiscard]] std::string css_text(colour of) {
    std::array<char, 16> text = {};
    std::snprintf(text.data(), text.size(), "#%02x%02x%02x", unsigned{of.red}, unsigned{of.green}, unsigned{of.blue});
    if (of.alpha != 255)
        std::snprintf(text.data() + 7, text.size() - 7, "%02x", unsigned{of.alpha});
    return text.data();
}

void tell_samples(const context& with, const stored_array& array, const drawn_part& what, const std::string& slices) {
    const auto size = size_of(with, {with.screen.width, 24});
    const drawing all(array, what, size.height, size.width);
    json_object line;
    line.add_text("file", array.file.string());
    if (array.member)
        line.add_text("member", *array.member);
    if (!what.part.path.empty())
        line.add_text("field", what.part.path);
    line.add_text("dtype", dtype_text(what.part.type));
    line.add_text("slice", slices.empty() ? "[...]" : slices);
    line.add_json("shape", json_shape(shape_of(what.slices)));
    line.add("sampled", all.grid.is_sampled);
    line.add("missing", all.grid.missing);
    line.add("min", all.low);
    line.add("max", all.high);
    const auto row = [&](const std::vector<double>& numbers, std::size_t begin) {
        json_list out;
        for (std::size_t i = 0; i < all.grid.columns; ++i)
            out.add_json(nk::core::json_text(numbers[begin + i]));
        return out;
    };
    const auto plane = [&](const std::vector<double>& numbers) {
        if (what.is_line())
            return row(numbers, 0);
        json_list out;
        for (std::size_t y = 0; y < all.grid.rows; ++y)
            out.add_json(row(numbers, y * all.grid.columns).str());
        return out;
    };
    line.add("mean", plane(all.grid.mean));
    line.add("low", plane(all.grid.low));
    line.add("high", plane(all.grid.high));
    if (all.is_picture()) {
        json_list rows;
        for (std::size_t y = 0; y < all.grid.rows; ++y) {
            json_list row_of_colours;
            for (std::size_t x = 0; x < all.grid.columns; ++x) {
                const auto shown_colour = all.grid.colour_at(y, x, all.low, all.high);
                row_of_colours.add_json(shown_colour ? '"' + css_text(*shown_colour) + '"' : "null");
            }
            rows.add_json(row_of_colours.str());
        }
        line.add("colors", rows);
    }
    with.out << line.str() << '\n';
}

[[nodiscard]] outcome heat(const context& with) {
    const auto slices = slices_behind(with.given);
    const auto array = array_of(word_of(with.given.words()[0], with.given));
    const auto& shape = array.info.shape;
    const auto what = part_to_draw(array, slices.empty() ? whole(shape) : slices_of(slices, shape, array.name()),
                                   with.given.value("--field").value_or(""));
    if (with.given.has("--json")) {
        tell_samples(with, array, what, slices);
    } else if (with.given.has("--svg") || with.given.has("--png")) {
        write_pictures(with, array, what, slices);
    } else {
        const char* const depth = std::getenv("COLORTERM");
        const std::string_view colours = depth == nullptr ? "" : depth;
        const pen drawn_with{.blocks = wants_blocks(with.screen, with.given.choice("--style", drawing_styles)),
                             .colours = with.screen.has_colour,
                             .true_colour = colours == "truecolor" || colours == "24bit"};
        const std::size_t height = what.is_line() ? 12 : 24;
        const auto size = size_of(with, {with.screen.width, height});
        if (what.is_line())
            draw_line(with, drawn_with, size, array, what, slices);
        else
            draw_map(with, drawn_with, size, array, what, slices);
    }
    return outcome::fine;
}

}  // namespace

command heat_command() {
    return {
        .name = "heat",
        .summary = "Draw two axes of an array as a heat map, or one axis as a line plot",
        .usage = "[OPTION]... FILE[:MEMBER] [SLICES]",
        .details =
            "Draws the last two axes of the selection, at index 0 of the axes before them. SLICES is NumPy indexing,\n"
            "as in `ndkeep show`. A character shows the mean of its elements; of a large array, only a sample of\n"
            "the elements is read. NaN is drawn as a gap. The shape (..., h, w, 3) or (..., h, w, 4) is drawn as a\n"
            "picture in true colours if the numbers are uint8, uint16, or floating-point numbers from 0 to 1;\n"
            "'[..., 0]' draws one of its channels. With --png or --svg, only the picture files are written.",
        .options = {{"--width", "N",
                     "columns of text (default: terminal width), or pixels of a picture (default: 800)"},
                    {"--height", "N", "lines of text (default: 24, plot: 12), or pixels (default: 600, plot: 300)"},
                    {"--field", "NAME", "field of a struct to draw"},
                    member_option,
                    {"--style", "STYLE", "auto, ascii or blocks (default: auto, blocks on a Unicode terminal)"},
                    {"--png", "FILE", "write a PNG picture"},
                    {"--svg", "FILE", "write an SVG picture with labels"},
                    replace_read_only_option,
                    json_option},
        .example = "ndkeep heat examples/data/seattle_hourly.npy '[:, 0]'",
        .least_words = 1,
        .most_words = 2,
        .run = heat,
        .reads_input = true};
}

}  // namespace tool
