// SPDX-License-Identifier: BSD-3-Clause
// show: prints the elements of an array as NumPy does.
#include "array_word.hpp"
#include "between.hpp"
#include "commands.hpp"
#include "each_file.hpp"
#include "nodes.hpp"
#include "output.hpp"
#include "pickle_values.hpp"
#include "printer.hpp"

#include <ndkeep/pickle/load.hpp>

#include <limits>

namespace tool {

namespace {

[[nodiscard]] print_style style_of(const context& with) {
    print_style style;
    style.precision = with.given.number("--precision", style.precision, 0, 100);
    style.edge = with.given.number("--edge", style.edge, std::uint64_t{1});
    style.threshold = with.given.has("--full") ? std::numeric_limits<std::uint64_t>::max()
                                               : with.given.number("--threshold", style.threshold);
    style.width =
        with.given.number("--width", with.screen.is_terminal ? with.screen.width : style.width, std::size_t{1});
    return style;
}

constexpr option between_option = {"--between", "FROM TO",
                                   "rows of an ordered chunked array with FROM <= key < TO: numbers or dates"};

void show_one(const context& with, const stored_array& array, const std::string& slices) {
    auto shape = array.info.shape;
    std::uint64_t first_row = 0;
    if (const auto bounds = with.given.values(between_option.name); !bounds.empty()) {
        const auto [first, last] = rows_between(array, bounds[bounds.size() - 2], bounds.back());
        first_row = first;
        shape[0] = static_cast<std::size_t>(last - first);
    }
    auto taken = slices.empty() ? whole(shape) : slices_of(slices, shape, array.name());
    if (!taken.empty())
        taken[0].first += first_row;
    const auto field = with.given.value("--field").value_or("");
    if (!with.given.has("--json")) {
        with.out << array_text(array, taken, style_of(with), field);
        return;
    }
    json_object line;
    line.add_text("file", array.file.string());
    if (array.member)
        line.add_text("member", *array.member);
    auto type = array.info.type;
    auto taken_shape = shape_of(taken);
    if (!field.empty()) {
        const auto part = leaf_named(array, field);
        line.add_text("field", field);
        type = part.type;
        taken_shape.insert(taken_shape.end(), part.shape.begin(), part.shape.end());
    }
    line.add_text("dtype", dtype_text(type));
    line.add_json("shape", json_shape(taken_shape));
    if (with.given.has(between_option.name)) {
        line.add("first_row", first_row);
        line.add("rows", shape[0]);
    }
    line.add_text("slice", slices.empty() ? "[...]" : slices);
    line.add_json("values", array_json(array, taken, field));
    with.out << line.str() << '\n';
}

[[nodiscard]] std::string plain_json(const node& value) {
    json_list list;
    json_object dictionary;
    for (const node& each : value.children) {
        if (value.kind == "list")
            list.add_json(plain_json(each));
        else
            dictionary.add_json(each.name, plain_json(each));
    }
    return value.kind == "list" ? list.str() : value.kind == "dictionary" ? dictionary.str() : value.value;
}

/// Prints a value of a pickle that is no array, and holds none.
void show_value(const context& with, const array_word& word) {
    const auto root = ndkeep::load_pickle(word.file, {.run = with.run});
    const auto& value = value_at(root, word.file, word.member.value_or(""));
    if (with.given.has("--json")) {
        json_object line;
        line.add_text("file", word.file.string());
        if (word.member)
            line.add_text("member", *word.member);
        line.add_json("value", plain_json(node_of_value("", value)));
        with.out << line.str() << '\n';
        return;
    }
    const auto text = value.str();
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        with.out << shown(rest.substr(0, end)) << '\n';
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

[[nodiscard]] outcome show(const context& with) {
    const auto slices = slices_behind(with.given);
    const auto word = word_of(with.given.words()[0], with.given);
    if (!slices.empty()) {
        show_one(with, array_of(word), slices);
        return outcome::fine;
    }
    std::size_t count = 0;
    const bool has_heads = !with.given.has("--json") && !with.given.has(between_option.name);
    const std::size_t arrays = for_each_array(word, [&](const stored_array& array) {
        if (has_heads && array.member != word.member)
            with.out << (count++ == 0 ? "" : "\n") << styled(with.screen, "1", shown(array.name())) << "  "
                     << dtype_label(array.info.type) << ' ' << ndkeep::shape_text(array.info.shape) << '\n';
        show_one(with, array, "");
        check_interrupted(array.file);
    });
    if (arrays == 0 && subject_of(word.file).kind == subject_kind::pickle)
        show_value(with, word);
    else if (arrays == 0 && !with.quiet)
        with.err << "ndkeep: " << shown_path(word.file) << ": no arrays found\n";
    return outcome::fine;
}

}  // namespace

command show_command() {
    return {
        .name = "show",
        .summary = "Print elements as NumPy prints them, structs as a table",
        .usage = "[OPTION]... FILE[:MEMBER] [SLICES]",
        .details =
            "Reads only the elements that it prints. SLICES is NumPy indexing in brackets: integers, start:stop:step\n"
            "and `...`. FILE:MEMBER selects a member of an archive by the name that `ndkeep ls` lists; without a\n"
            "member, all arrays of the archive are printed. FILE.pkl:PATH selects a value of a pickle by keys and\n"
            "indexes, as in a.pkl:runs/0/name; of a list or dictionary, the arrays in it are printed. --json prints "
            "all values, without `...`.\n"
            "--between finds rows without reading the others; SLICES then count from the first of them. A bound is a\n"
            "number, or a date like 2024, 2024-05-01 or 2024-05-01T09:30; of dates, any other number is a count of\n"
            "their unit.",
        .options = {{"--precision", "N", "maximum number of digits after the decimal point (default: 8)"},
                    {"--edge", "N", "items printed at each end of a summarised axis (default: 3)"},
                    {"--threshold", "N", "number of elements above which an array is summarised (default: 1000)"},
                    {"--full", "", "print all elements"},
                    {"--width", "N", "characters per line (default: 75, or the terminal width)"},
                    between_option,
                    {"--field", "NAME", "print one field of a struct as an array; position.x is a nested field"},
                    member_option,
                    json_option},
        .example = "ndkeep show examples/data/seattle_hourly.npy '[0, :]'\n"
                   "ndkeep show examples/data/flights.npz:flights '[:5]'",
        .least_words = 1,
        .most_words = 2,
        .run = show,
        .reads_input = true};
}

}  // namespace tool
