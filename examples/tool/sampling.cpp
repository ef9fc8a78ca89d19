// SPDX-License-Identifier: BSD-3-Clause
#include "sampling.hpp"

#include "printer.hpp"
#include "values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tool {

namespace {

namespace nk = ndkeep;

/// The sampled indexes of an axis, and the position in `indexes` where each cell begins.
struct cut_axis {
    axis_indexes indexes;
    std::vector<std::size_t> begins;
};

[[nodiscard]] cut_axis cut(const axis_slice& axis, std::size_t cells, std::uint64_t most_in_cell) {
    cut_axis out;
    // Quotient and remainder are used separately: extent * cells may overflow.
    const std::uint64_t each = axis.count / cells, rest = axis.count % cells;
    const auto begin_of = [&](std::uint64_t cell) { return cell * each + cell * rest / cells; };
    for (std::size_t cell = 0; cell < cells; ++cell) {
        out.begins.push_back(out.indexes.size());
        const std::uint64_t begin = begin_of(cell), length = begin_of(cell + 1) - begin;
        const std::uint64_t some = std::min(length, most_in_cell);
        for (std::uint64_t i = 0; i < some; ++i)
            out.indexes.push_back(axis.at(begin + (some == length ? i : length / some * i + length / some / 2)));
    }
    out.begins.push_back(out.indexes.size());
    return out;
}

[[nodiscard]] sampled_grid sample_numbers(const stored_array& array, const drawn_part& what, std::size_t rows,
                                          std::size_t columns) {
    sampled_grid out{.rows = rows, .columns = columns, .low = {}, .mean = {}, .high = {}};
    const double none = std::numeric_limits<double>::quiet_NaN();
    out.low = out.mean = out.high = std::vector<double>(rows * columns, none);
    const auto item = static_cast<std::size_t>(array.info.type.size());
    const std::uint64_t height = what.is_line() ? 1 : what.extent(0);
    const std::uint64_t width = what.is_line() ? what.extent(0) : what.extent(1);
    if (rows * columns == 0 || array.info.nbytes() == 0)
        return out;

    constexpr std::uint64_t all_elements = std::uint64_t{1} << 22, all_bytes = std::uint64_t{64} << 20;
    out.is_sampled = !nk::core::fits({static_cast<std::size_t>(height), static_cast<std::size_t>(width)}, 1,
                                     std::min(all_elements, all_bytes / std::max<std::size_t>(item, 1)));
    constexpr std::uint64_t in_line = 16, in_plane = 2;
    const std::uint64_t most = !out.is_sampled  ? std::numeric_limits<std::uint64_t>::max()
                               : what.is_line() ? in_line
                                                : in_plane;
    const auto across = cut(what.slices[what.axes.back()], columns, most);
    const auto down = what.is_line() ? cut({0, 1, 1, false}, 1, 1) : cut(what.slices[what.axes.front()], rows, most);
    std::vector<axis_indexes> axes;
    for (std::size_t axis = 0; axis < what.slices.size(); ++axis)
        axes.push_back(axis == what.axes.back()    ? across.indexes
                       : axis == what.axes.front() ? down.indexes
                                                   : axis_indexes(what.slices[axis].count, what.slices[axis].first));
    const auto elements = elements_at(array, axes);
    if (elements.size() == 0)
        return out;
    const std::size_t line = across.indexes.size();
    const auto values = column_of(what.part, elements.data(), item, down.indexes.size() * line);
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t column = 0; column < columns; ++column) {
            double low = none, high = none, sum = 0;
            std::size_t count = 0;
            for (std::size_t i = down.begins[row]; i < down.begins[row + 1]; ++i)
                for (std::size_t j = across.begins[column]; j < across.begins[column + 1]; ++j) {
                    const double number = number_at(values.type, values.at(i * line + j));
                    if (std::isnan(number)) {
                        ++out.missing;
                        continue;
                    }
                    low = count == 0 ? number : std::min(low, number);
                    high = count == 0 ? number : std::max(high, number);
                    sum += number;
                    ++count;
                }
            const std::size_t cell = row * columns + column;
            out.low[cell] = low;
            out.high[cell] = high;
            // The mean of +infinity and -infinity is NaN. It is drawn as 0, because a gap would mean that the cell has
            // no numbers.
            const double mean = sum / static_cast<double>(count);
            out.mean[cell] = count == 0 || std::isnan(mean) ? (count == 0 ? none : 0) : mean;
        }
    return out;
}

/// The part with only one channel of a picture.
[[nodiscard]] drawn_part channel_of(drawn_part what, std::size_t channel) {
    auto& axis = what.slices[what.channel_axis];
    axis = {axis.at(channel), 1, 1, true};
    what.channels = 0;
    return what;
}

/// Takes the last axis for the channels of a picture if its extent and the dtype permit it.
void make_picture(const stored_array& array, const std::vector<axis_slice>& slices, drawn_part& what) {
    const auto& type = what.part.type;
    constexpr std::size_t axes = 3, colours = 3, with_alpha = 4;
    if (what.axes.size() < axes || !(type.is_floating_point() || (type.kind() == 'u' && type.size() <= 2)))
        return;
    const auto extent = slices[what.axes.back()].count;
    if ((extent != colours && extent != with_alpha) || array.info.nbytes() == 0)
        return;
    what.channels = static_cast<std::size_t>(extent);
    what.channel_axis = what.axes.back();
    what.axes.pop_back();
}

/// Whether the numbers are from 0 to 1, as far as a coarse sample tells.
[[nodiscard]] bool is_in_unit_range(const stored_array& array, const drawn_part& what) {
    constexpr std::uint64_t most = 64;
    const auto cells = [&](std::size_t i) { return static_cast<std::size_t>(std::min(what.extent(i), most)); };
    for (std::size_t i = 0; i < what.channels; ++i) {
        const auto grid = sample_numbers(array, channel_of(what, i), cells(0), cells(1));
        const auto is_outside = [](double number) { return number < 0 || number > 1; };
        if (std::any_of(grid.low.begin(), grid.low.end(), is_outside) ||
            std::any_of(grid.high.begin(), grid.high.end(), is_outside))
            return false;
    }
    return true;
}

}  // namespace

std::optional<colour> sampled_grid::colour_at(std::size_t row, std::size_t column, double lowest,
                                              double highest) const {
    const double number = at(row, column);
    if (std::isnan(number))
        return std::nullopt;
    return colours.empty() ? colour_of(part_of(number, lowest, highest)) : colours[row * columns + column];
}

drawn_part part_to_draw(const stored_array& array, std::vector<axis_slice> slices, const std::string& field) {
    const auto& type = array.info.type;
    drawn_part out;
    if (field.empty() && type.is_struct()) {
        const auto leaves = leaves_of(type);
        throw nk::mismatch_error(
            {.file = array.file,
             .field = "dtype",
             .expected = "one number or time per element",
             .found = "a struct of " + nk::counted(type.fields().size(), "field"),
             .hint = leaves.empty() ? "" : "choose a field, as in --field " + leaves.front().path});
    }
    out.part = field.empty() ? leaf{.type = type} : leaf_named(array, field);
    if (!has_magnitude(out.part.type) || !out.part.shape.empty())
        throw nk::mismatch_error(
            {.file = array.file,
             .field = field.empty() ? "dtype" : "field " + nk::quoted(field),
             .expected = "one number or time per element",
             .found = out.part.type.descr() + (out.part.shape.empty() ? "" : ' ' + nk::shape_text(out.part.shape))});
    for (std::size_t axis = 0; axis < slices.size(); ++axis)
        if (!slices[axis].is_index)
            out.axes.push_back(axis);
    if (out.axes.empty())
        throw nk::mismatch_error({.file = array.file,
                                  .field = "shape of the selection",
                                  .expected = "at least 1 dimension",
                                  .found = "()",
                                  .hint = "`ndkeep show` prints single elements"});
    make_picture(array, slices, out);
    constexpr std::size_t most = 2;
    while (out.axes.size() > most) {
        auto& axis = slices[out.axes.front()];
        axis.is_index = true;
        axis.count = std::min<std::uint64_t>(axis.count, 1);
        out.axes.erase(out.axes.begin());
    }
    out.slices = std::move(slices);
    if (out.channels != 0 && out.part.type.is_floating_point() && !is_in_unit_range(array, out)) {
        // Numbers of another range are no colours, so the last two axes are drawn.
        auto& rows = out.slices[out.axes.front()];
        rows.is_index = true;
        rows.count = std::min<std::uint64_t>(rows.count, 1);
        out.axes = {out.axes.back(), out.channel_axis};
        out.channels = 0;
    }
    return out;
}

sampled_grid sample(const stored_array& array, const drawn_part& what, std::size_t rows, std::size_t columns) {
    if (what.channels == 0)
        return sample_numbers(array, what, rows, columns);
    std::vector<sampled_grid> channels;
    for (std::size_t i = 0; i < what.channels; ++i)
        channels.push_back(sample_numbers(array, channel_of(what, i), rows, columns));
    sampled_grid out = channels.front();
    for (std::size_t i = 1; i < what.channels; ++i)
        out.missing += channels[i].missing;
    const auto& type = what.part.type;
    constexpr double brightest = 255;
    const double scale = type.is_floating_point() ? brightest : type.size() == 1 ? 1 : brightest / 65535;
    out.colours.resize(rows * columns);
    for (std::size_t cell = 0; cell < rows * columns; ++cell) {
        std::array<double, 4> levels = {0, 0, 0, brightest};
        for (std::size_t i = 0; i < what.channels; ++i)
            levels[i] = scale * channels[i].mean[cell];
        const auto [red, green, blue, alpha] = levels;
        // The weights of ITU-R BT.601. NaN in a channel makes a gap.
        const double brightness = 0.299 * red + 0.587 * green + 0.114 * blue + 0 * alpha;
        out.low[cell] = out.mean[cell] = out.high[cell] = brightness;
        const auto level = [&](double of) {
            return static_cast<std::uint8_t>(std::lround(std::clamp(of, 0.0, brightest)));
        };
        if (!std::isnan(brightness))
            out.colours[cell] = {level(red), level(green), level(blue), level(alpha)};
    }
    return out;
}

std::pair<double, double> range_of(const std::vector<double>& numbers) {
    double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
    for (const double number : numbers)
        if (std::isfinite(number)) {
            low = std::min(low, number);
            high = std::max(high, number);
        }
    return low > high ? std::pair(0.0, 0.0) : std::pair(low, high);
}

}  // namespace tool
