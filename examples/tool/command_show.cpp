// SPDX-License-Identifier: BSD-3-Clause
// show: prints the elements of an array as NumPy does.
#include "array_word.hpp"
#include "commands.hpp"
#include "each_file.hpp"
#include "output.hpp"
#include "printer.hpp"

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

void show_one(const context& with, const stored_array& array, const std::string& slices) {
    const auto& shape = array.info.shape;
    const auto taken = slices.empty() ? whole(shape) : slices_of(slices, shape, array.name());
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
    line.add_text("slice", slices.empty() ? "[...]" : slices);
    line.add_json("values", array_json(array, taken, field));
    with.out << line.str() << '\n';
}

[[nodiscard]] outcome show(const context& with) {
    const auto slices = slices_behind(with.given);
    const auto word = word_of(with.given.words()[0], with.given);
    if (!slices.empty()) {
        show_one(with, array_of(word), slices);
        return outcome::fine;
    }
    std::size_t count = 0;
    const bool has_heads = !word.member && !with.given.has("--json");
    const std::size_t arrays = for_each_array(word, [&](const stored_array& array) {
        if (has_heads && array.member)
            with.out << (count++ == 0 ? "" : "\n") << styled(with.screen, "1", shown(array.name())) << "  "
                     << dtype_label(array.info.type) << ' ' << ndkeep::shape_text(array.info.shape) << '\n';
        show_one(with, array, "");
        check_interrupted(array.file);
    });
    if (arrays == 0 && !with.quiet)
        with.err << "ndkeep: " << shown_path(word.file) << ": there is no array in it\n";
    return outcome::fine;
}

}  // namespace

command show_command() {
    return {.name = "show",
            .summary = "Show elements as NumPy prints them, structs as a table",
            .usage = "[OPTION]... FILE[:MEMBER] [SLICES]",
            .details =
                "Reads only what it shows. SLICES are NumPy's: integers, start:stop:step and `...`, in brackets.\n"
                "A member of an archive stands behind a colon, by the name that `ndkeep ls` lists; without one,\n"
                "every array of the archive is shown. --json gives all values, and never `...`.",
            .options = {{"--precision", "N", "digits behind the point, at most (8)"},
                        {"--edge", "N", "items at each end of an axis that is summarised (3)"},
                        {"--threshold", "N", "arrays of more elements are summarised (1000)"},
                        {"--full", "", "nothing is summarised"},
                        {"--width", "N", "characters of a line (75; on a terminal its width)"},
                        {"--field", "NAME", "one field of a struct, as an array; inner ones as in position.x"},
                        member_option,
                        json_option},
            .example = "ndkeep show examples/data/seattle_hourly.npy '[0, :]'\n"
                       "ndkeep show examples/data/flights.npz:flights '[:5]'",
            .least_words = 1,
            .most_words = 2,
            .run = show};
}

}  // namespace tool
