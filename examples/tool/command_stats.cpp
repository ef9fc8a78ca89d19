// SPDX-License-Identifier: BSD-3-Clause
// stats: prints statistics and histograms of the numbers of an array.
#include "array_word.hpp"
#include "commands.hpp"
#include "drawing.hpp"
#include "each_file.hpp"
#include "elements.hpp"
#include "float_text.hpp"
#include "output.hpp"
#include "subject.hpp"
#include "summary_of.hpp"
#include "value_text.hpp"
#include "values.hpp"

#include <ndkeep/npy/describe.hpp>

namespace tool {

namespace {

namespace nk = ndkeep;

constexpr std::size_t bins_of_page = 48, bins_of_row = 16;

[[nodiscard]] std::string mean_text(const nk::statistics& values) {
    if (!values.mean)
        return "-";
    constexpr int digits = 8;
    const std::string real = brief(*values.mean, digits);
    if (!values.mean_imaginary)
        return real;
    const auto imaginary = brief(*values.mean_imaginary, digits);
    return real + (imaginary.starts_with('-') ? "" : "+") + imaginary + 'j';
}

[[nodiscard]] std::string std_text(const nk::statistics& values) {
    constexpr int digits = 8;
    return values.std ? brief(*values.std, digits) : "-";
}

/// The summary of one leaf.
struct leaf_page {
    const leaf& part;
    const nk::statistics& values;
    const leaf_summary& summary;

    [[nodiscard]] bool has_range() const { return !summary.histogram.empty(); }
    /// The histogram covers finite numbers only: infinities have no position in it.
    [[nodiscard]] std::pair<double, double> range() const { return summary.histogram.range(); }
};

/// Adds min, max, mean and std.
void add_moments(json_object& out, const nk::dtype& type, const nk::statistics& values) {
    const auto extreme = [&](std::string_view key, const std::optional<nk::statistics::number>& number) {
        if (!number)
            out.add_null(key);
        else if (type.kind() == 'M')
            out.add_text(key, date_text(type, *std::get_if<std::int64_t>(&*number)));
        else if (const auto* const real = std::get_if<double>(&*number))
            out.add(key, *real);
        else
            out.add_json(key, nk::core::number_text(*number));
    };
    const auto optional = [&](std::string_view key, const std::optional<double>& number) {
        if (number)
            out.add(key, *number);
        else
            out.add_null(key);
    };
    extreme("min", values.min);
    extreme("max", values.max);
    optional("mean", values.mean);
    if (values.mean_imaginary)
        out.add("mean_imaginary", *values.mean_imaginary);
    optional("std", values.std);
}

void add_leaf(json_object& out, const leaf_page& of, std::size_t bins) {
    out.add("count", of.values.count);
    out.add("nan", of.values.nan);
    out.add("inf", of.summary.infinite);
    out.add("zeros", of.summary.zeros);
    add_moments(out, of.part.type, of.values);
    if (!of.has_range())
        return out.add_null("histogram");
    const auto [low, high] = of.range();
    json_object histogram;
    histogram.add("low", low);
    histogram.add("high", high);
    json_list counts;
    for (const std::uint64_t count : of.summary.histogram.bins(bins, low, high))
        counts.add(count);
    histogram.add("bins", counts);
    out.add("histogram", histogram);
}

void add_page(sheet& page, const leaf_page& of, std::size_t bins, bool blocks) {
    const auto& type = of.part.type;
    page.line("count", std::to_string(of.values.count));
    if (!has_magnitude(type))
        return;
    page.line("min", extreme_text(type, of.values.min));
    page.line("max", extreme_text(type, of.values.max));
    if (!type.is_time()) {
        page.line("mean", mean_text(of.values));
        page.line("std", std_text(of.values));
    }
    if (type.is_inexact() || type.is_time())
        page.line(type.is_inexact() ? "NaN" : "NaT", std::to_string(of.values.nan));
    if (type.is_inexact())
        page.line("Inf", std::to_string(of.summary.infinite));
    if (type.kind() != 'M')
        page.line("zeros", std::to_string(of.summary.zeros));
    if (!of.has_range())
        return;
    const auto [low, high] = of.range();
    const auto counts = of.summary.histogram.bins(bins, low, high);
    page.line("histogram", '|' + sparkline(counts, blocks) + '|');
    page.line("", nk::counted(bins, "bin") + ", largest count " +
                      std::to_string(*std::max_element(counts.begin(), counts.end())));
}

void add_table(sheet& page, const std::vector<leaf_page>& pages, std::size_t bins, bool blocks) {
    using enum table::side;
    table rows({{"field", left},
                {"count", right},
                {"min", right},
                {"max", right},
                {"mean", right},
                {"std", right},
                {"NaN", right},
                {"Inf", right},
                {"zeros", right},
                {"histogram", left}});
    for (const auto& of : pages) {
        std::string bars;
        if (of.has_range()) {
            const auto [low, high] = of.range();
            bars = '|' + sparkline(of.summary.histogram.bins(bins, low, high), blocks) + '|';
        }
        const bool counts = has_magnitude(of.part.type);
        const auto count = [counts](std::uint64_t number) { return counts ? std::to_string(number) : "-"; };
        rows.add({shown(of.part.path), std::to_string(of.values.count), extreme_text(of.part.type, of.values.min),
                  extreme_text(of.part.type, of.values.max), mean_text(of.values), std_text(of.values),
                  count(of.values.nan), count(of.summary.infinite), count(of.summary.zeros), bars});
    }
    page.block(rows.text({}, "    "));
}

/// Compares with the sidecar's statistics, if it has a sidecar that describes this array.
void compare_with_sidecar(sheet& page, const stored_array& array, const nk::statistics& found) {
    json_object out;
    if (array.single) {
        const auto look = look_at_sidecar(*array.single);
        out.add_text("state", state_name(look.state));
        if (look.state == sidecar_state::damaged)
            page.problem(look.problem);
        if (look.state == sidecar_state::stale)
            page.problem("the sidecar is stale: it describes another array");
        const bool is_believed = look.state == sidecar_state::current || look.state == sidecar_state::unconfirmed;
        if (is_believed && look.said->statistics) {
            std::vector<nk::finding> differences;
            nk::core::statistics_check(array.file, differences).compare(*look.said->statistics, found);
            out.add("agrees", differences.empty());
            page.line("sidecar", differences.empty() ? "statistics match" : "statistics differ");
            for (const auto& difference : differences)
                page.problem(difference.message);
        } else {
            out.add_null("agrees");
        }
    } else {
        out.add_text("state", state_name(sidecar_state::none));
        out.add_null("agrees");
    }
    page.json.add("sidecar", out);
}

[[nodiscard]] outcome tell_summary(const context& with, const stored_array& array) {
    const bool as_json = with.given.has("--json");
    const auto& type = array.info.type;
    const auto summary = summary_of(array, with.run);
    const auto by_leaf = summary.by_leaf();
    const std::size_t least_bins = 1, most_bins = 1024;
    const auto bins =
        with.given.number("--bins", type.is_struct() && !as_json ? bins_of_row : bins_of_page, least_bins, most_bins);
    const bool blocks = wants_blocks(with.screen, with.given.choice("--style", drawing_styles));

    std::vector<leaf_page> pages;
    for (std::size_t i = 0; i < summary.leaves.size(); ++i)
        pages.push_back({summary.leaves[i], by_leaf[i], summary.summaries[i]});
    sheet page;
    page.json.add_text("file", array.file.string());
    if (array.member)
        page.json.add_text("member", *array.member);
    page.json.add_text("dtype", dtype_text(type));
    page.json.add_json("shape", json_shape(array.info.shape));
    page.line("array", dtype_label(type) + ' ' + nk::shape_text(array.info.shape));
    if (type.is_struct()) {
        page.json.add("count", summary.values.count);
        json_list fields;
        for (const auto& each : pages) {
            json_object field;
            field.add_text("name", each.part.path);
            field.add_text("dtype", dtype_text(each.part.type));
            add_leaf(field, each, bins);
            fields.add_json(field.str());
        }
        page.json.add("fields", fields);
        page.line("count", std::to_string(summary.values.count));
        if (!pages.empty())
            add_table(page, pages, bins, blocks);
    } else {
        add_leaf(page.json, pages.front(), bins);
        add_page(page, pages.front(), bins, blocks);
    }
    compare_with_sidecar(page, array, summary.values);
    if (as_json)
        with.out << page.json_line();
    else
        with.out << styled(with.screen, "1", shown(array.name())) << '\n' << page.text();
    return page.has_problems() ? outcome::findings : outcome::fine;
}

/// The number of an axis, which counts from the end if it is negative.
[[nodiscard]] std::size_t axis_of(const context& with, const stored_array& array) {
    const auto count = static_cast<std::int64_t>(array.info.shape.size());
    const auto axis = with.given.number("--axis", std::int64_t{0});
    if (axis < -count || axis >= count)
        throw nk::mismatch_error({.file = array.file,
                                  .field = "--axis",
                                  .expected = count == 0 ? "an array with an axis"
                                                         : std::to_string(-count) + " to " + std::to_string(count - 1),
                                  .found = std::to_string(axis),
                                  .hint = "the shape is " + nk::shape_text(array.info.shape)});
    return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

/// Prints a line of statistics for each line of elements along an axis.
[[nodiscard]] outcome tell_axis(const context& with, const stored_array& array) {
    const auto& type = array.info.type;
    if (type.is_struct())
        throw nk::mismatch_error({.file = array.file,
                                  .field = "dtype",
                                  .expected = "a plain dtype with --axis",
                                  .found = dtype_label(type),
                                  .hint = "without --axis, structs have one row per field"});
    const std::size_t axis = axis_of(with, array);
    const auto found = statistics_along(array, axis, with.run);
    const auto& shape = array.info.shape;
    const auto index_of = [&](std::size_t line) {
        std::vector<std::string> words(shape.size(), ":");
        for (std::size_t k = shape.size(); k-- > 0;)
            if (k != axis) {
                words[k] = std::to_string(line % shape[k]);
                line /= shape[k];
            }
        std::string text;
        for (const auto& word : words)
            text += (text.empty() ? "" : ", ") + word;
        return '[' + text + ']';
    };
    sheet page;
    page.json.add_text("file", array.file.string());
    if (array.member)
        page.json.add_text("member", *array.member);
    page.json.add_text("dtype", dtype_text(type));
    page.json.add_json("shape", json_shape(shape));
    page.json.add("axis", axis);
    page.line("array", dtype_label(type) + ' ' + nk::shape_text(shape));
    using enum table::side;
    table rows({{"slice", left},
                {"count", right},
                {"min", right},
                {"max", right},
                {"mean", right},
                {"std", right},
                {type.is_time() ? "NaT" : "NaN", right}});
    json_list slices;
    for (std::size_t i = 0; i < found.size(); ++i) {
        json_object one;
        one.add_text("slice", index_of(i));
        one.add("count", found[i].count);
        one.add("nan", found[i].nan);
        add_moments(one, type, found[i]);
        slices.add_json(one.str());
        rows.add({index_of(i), std::to_string(found[i].count), extreme_text(type, found[i].min),
                  extreme_text(type, found[i].max), mean_text(found[i]), std_text(found[i]),
                  has_magnitude(type) ? std::to_string(found[i].nan) : "-"});
    }
    page.json.add("slices", slices);
    page.block(rows.text({}, "    "));
    if (with.given.has("--json"))
        with.out << page.json_line();
    else
        with.out << styled(with.screen, "1", shown(array.name())) << '\n' << page.text();
    return outcome::fine;
}

[[nodiscard]] outcome stats(const context& with) {
    const bool by_axis = with.given.has("--axis");
    if (by_axis && with.given.has("--bins"))
        throw usage_error("--bins is given, but --axis prints no histogram");
    bool is_first = true;
    return each_file(with, with.given.words(), [&](const std::filesystem::path& path) {
        const auto word = word_of(path.string(), with.given);
        auto worst = outcome::fine;
        for_each_array(word, [&](const stored_array& array) {
            if (!std::exchange(is_first, false) && !with.given.has("--json"))
                with.out << '\n';
            worst = std::max(worst, by_axis ? tell_axis(with, array) : tell_summary(with, array));
        });
        return worst;
    });
}

}  // namespace

command stats_command() {
    return {
        .name = "stats",
        .summary = "Print count, range, mean and histogram of the numbers in arrays",
        .usage = "[OPTION]... FILE[:MEMBER]...",
        .details =
            "Reads the data once, and compares the result with the statistics in the sidecar, if present. Without\n"
            "MEMBER, reads all arrays of an archive. Structs have one row per field. NaN and NaT are excluded from\n"
            "min, max, mean and std; infinities are excluded from the histogram only. With --axis, each line of\n"
            "elements along the axis has a row: with 0, each column of a table. Sidecars are not compared then.\n"
            "Exit status: 0 success, 1 the sidecar does not match, 2 error.",
        .options = {{"--axis", "N", "one row for each line along this axis; negative numbers count from the end"},
                    {"--bins", "N", "number of histogram bins (default: 48; 16 for each field of a struct)"},
                    member_option,
                    {"--style", "STYLE", "auto, ascii or blocks (default: auto, blocks on a Unicode terminal)"},
                    json_option},
        .example = "ndkeep stats examples/data/flights.npz",
        .least_words = 1,
        .most_words = any_number,
        .run = stats,
        .reads_input = true};
}

}  // namespace tool
