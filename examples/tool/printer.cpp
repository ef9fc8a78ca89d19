// SPDX-License-Identifier: BSD-3-Clause
#include "printer.hpp"

#include "output.hpp"
#include "value_text.hpp"
#include "values.hpp"

#include <ndkeep/element/strided.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <limits>

namespace tool {

namespace {

namespace nk = ndkeep;

/// The indexes of an axis to show, and the number of indexes before "..."; 0 if nothing is left out.
struct shown_axis {
    axis_indexes indexes;
    std::size_t gap = 0;
};

[[nodiscard]] bool is_long(const std::vector<std::size_t>& shape, std::uint64_t threshold) {
    if (is_without_elements(shape))
        return false;
    std::uint64_t size = 1;
    for (const std::size_t extent : shape)
        if (__builtin_mul_overflow(size, std::uint64_t{extent}, &size))
            return true;
    return size > threshold;
}

[[nodiscard]] std::vector<shown_axis> axes_shown(const std::vector<axis_slice>& slices, const print_style& style) {
    const bool summarised = is_long(shape_of(slices), style.threshold);
    std::vector<shown_axis> out;
    if (is_without_elements(shape_of(slices))) {
        out.resize(slices.size());
        return out;
    }
    for (const auto& axis : slices) {
        const bool cut = summarised && axis.count / 2 >= style.edge && axis.count > 2 * style.edge;
        auto& shown = out.emplace_back();
        const std::uint64_t count = cut ? style.edge : axis.count;
        constexpr std::uint64_t most = std::uint64_t{1} << 24;
        if (count > most)
            throw nk::mismatch_error({.field = "number of elements to print",
                                      .expected = "at most " + std::to_string(most),
                                      .found = std::to_string(count),
                                      .hint = "select fewer with SLICES"});
        for (std::uint64_t i = 0; i < count; ++i)
            shown.indexes.push_back(axis.at(i));
        for (std::uint64_t i = cut ? style.edge : 0; i > 0; --i)
            shown.indexes.push_back(axis.at(axis.count - i));
        shown.gap = cut ? static_cast<std::size_t>(style.edge) : 0;
    }
    return out;
}

/// Lays out nested brackets as NumPy's _formatArray does.
class layout {
  public:
    layout(const column_texts& texts, std::vector<std::size_t> shape, std::vector<std::size_t> gaps)
        : texts_(texts), shape_(std::move(shape)), gaps_(std::move(gaps)) {}

    [[nodiscard]] std::string text(std::size_t axis, std::size_t indent, std::size_t width) {
        const std::string hanging(indent, ' ');
        std::string out;
        if (axis + 1 == shape_.size()) {
            std::string line = hanging;
            const auto add = [&](const std::string& word) {
                // A line holds at least one word, and leaves room for the closing bracket.
                if (width_of(line) + width_of(word) + 1 > width && width_of(line) > indent) {
                    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
                    line = hanging;
                }
                line += word;
            };
            for (std::size_t i = 0; i < shape_[axis]; ++i) {
                if (i != 0)
                    line += ' ';
                if (i != 0 && i == gaps_[axis]) {
                    add("...");
                    line += ' ';
                }
                add(texts_.at(next_++));
            }
            out += line;
        } else {
            const std::string apart(shape_.size() - axis - 1, '\n');
            for (std::size_t i = 0; i < shape_[axis]; ++i) {
                if (i != 0)
                    out += apart;
                if (i != 0 && i == gaps_[axis])
                    out += hanging + "..." + apart;
                out += hanging + text(axis + 1, indent + 1, width - std::min<std::size_t>(width, 1));
            }
        }
        return '[' + out.substr(indent) + ']';
    }

  private:
    const column_texts& texts_;
    std::vector<std::size_t> shape_, gaps_;
    std::size_t next_ = 0;
};

[[nodiscard]] std::string array_of_values(const column& values, const std::vector<std::size_t>& shape,
                                          const std::vector<std::size_t>& gaps, const print_style& style) {
    if (values.count == 0)
        return "[]\n";
    if (shape.empty())
        return lone_value(values.type, values.bytes.data()) + '\n';
    const column_texts texts(values, style.precision);
    return layout(texts, shape, gaps).text(0, 1, style.width) + '\n';
}

/// "[1, 2, 3]"; of many values only the first and last few.
[[nodiscard]] std::string sub_array_text(const column_texts& texts, const std::vector<std::size_t>& shape,
                                         std::size_t axis, std::size_t first, std::size_t edge) {
    if (axis == shape.size())
        return texts.at(first);
    if (is_without_elements(shape))
        return "[]";
    constexpr std::size_t many = 16;
    const std::size_t inner = nk::core::product({shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()});
    const bool cut = nk::core::product(shape) > many && shape[axis] > 2 * edge;
    std::string out = "[";
    for (std::size_t i = 0; i < shape[axis]; ++i) {
        if (cut && i == edge) {
            out += ", ...";
            i = shape[axis] - edge;
        }
        out += (i == 0 ? "" : ", ") + sub_array_text(texts, shape, axis + 1, first + i * inner, edge);
    }
    return out + ']';
}

/// A table with one row per element and one column per leaf.
[[nodiscard]] std::string table_of(const stored_array& array, const std::byte* elements,
                                   const std::vector<shown_axis>& axes, const std::vector<axis_slice>& slices,
                                   const print_style& style) {
    using enum table::side;
    std::vector<std::size_t> counts;
    std::size_t rows = 1;
    for (const auto& axis : axes) {
        counts.push_back(axis.indexes.size());
        rows *= counts.back();
    }
    const auto leaves = leaves_of(array.info.type);
    std::vector<column> columns;
    std::vector<column_texts> texts;
    std::vector<table::column> heads = {{"", right}};
    columns.reserve(leaves.size());  // reserved, because the texts hold references to the columns
    for (const auto& part : leaves) {
        columns.push_back(column_of(part, elements, static_cast<std::size_t>(array.info.type.size()), rows));
        texts.emplace_back(columns.back(), style.precision);
        const bool is_text = !has_magnitude(part.type) || !part.shape.empty();
        heads.push_back({shown(part.path), is_text ? left : right});
    }
    table out(std::move(heads));
    const std::vector<std::string> dots(leaves.size() + 1, "...");
    std::vector<std::size_t> index(axes.size(), 0);
    for (std::size_t row = 0; row < rows; ++row) {
        std::string label;
        bool behind_gap = false;
        for (std::size_t axis = 0, rest = rows; axis < axes.size(); ++axis) {
            rest /= counts[axis];
            const std::size_t i = row / rest % counts[axis];
            if (!slices[axis].is_index)
                label += (label.empty() ? "" : ", ") + std::to_string(axes[axis].indexes[i]);
            // A line of dots stands before the first row after a gap.
            behind_gap = behind_gap || (axes[axis].gap != 0 && i == axes[axis].gap && row % rest == 0);
        }
        if (behind_gap)
            out.add(dots);
        std::vector<std::string> cells = {label};
        for (std::size_t i = 0; i < leaves.size(); ++i)
            cells.push_back(sub_array_text(texts[i], leaves[i].shape, 0, row * leaves[i].count(),
                                           static_cast<std::size_t>(std::min<std::uint64_t>(style.edge, 100))));
        out.add(std::move(cells));
    }
    return out.text({});
}

[[nodiscard]] std::vector<axis_indexes> indexes_of(const std::vector<shown_axis>& axes) {
    std::vector<axis_indexes> out;
    for (const auto& axis : axes)
        out.push_back(axis.indexes);
    return out;
}

}  // namespace

leaf leaf_named(const stored_array& array, const std::string& path) {
    std::string names;
    for (auto& part : leaves_of(array.info.type)) {
        if (part.path == path)
            return part;
        names += (names.empty() ? "one of " : ", ") + nk::quoted(part.path);
    }
    throw nk::mismatch_error(
        {.file = array.file,
         .field = "field " + nk::quoted(path),
         .expected = array.info.type.is_struct() ? names : "a struct dtype",
         .found = array.info.type.is_struct() ? "missing" : "missing in dtype " + nk::quoted(array.info.type.str())});
}

std::string array_text(const stored_array& array, const std::vector<axis_slice>& slices, const print_style& style,
                       const std::string& field) {
    const auto axes = axes_shown(slices, style);
    const auto elements = elements_at(array, indexes_of(axes));
    const auto item = static_cast<std::size_t>(array.info.type.size());
    std::vector<std::size_t> shape, gaps;
    std::size_t count = 1;
    for (std::size_t axis = 0; axis < axes.size(); ++axis) {
        count *= axes[axis].indexes.size();
        if (slices[axis].is_index)
            continue;
        shape.push_back(axes[axis].indexes.size());
        gaps.push_back(axes[axis].gap);
    }
    if (!field.empty()) {
        const auto part = leaf_named(array, field);
        shape.insert(shape.end(), part.shape.begin(), part.shape.end());
        gaps.resize(shape.size());
        return array_of_values(column_of(part, elements.data(), item, count), shape, gaps, style);
    }
    if (array.info.type.is_struct() && count != 0)
        return table_of(array, elements.data(), axes, slices, style);
    return array_of_values(column_of({.type = array.info.type}, elements.data(), item, count), shape, gaps, style);
}

std::string array_json(const stored_array& array, const std::vector<axis_slice>& slices, const std::string& field) {
    print_style all;
    all.threshold = std::numeric_limits<std::uint64_t>::max();
    const auto elements = elements_at(array, indexes_of(axes_shown(slices, all)));
    const auto shape = shape_of(slices);
    const std::byte* at = elements.data();
    const auto part = field.empty() ? leaf() : leaf_named(array, field);
    if (is_without_elements(shape))
        return "[]";
    const auto list_of = [&](const auto& self, std::size_t axis) -> std::string {
        if (axis == shape.size()) {
            const std::byte* const here = at;
            at += array.info.type.size();
            if (field.empty())
                return json_of_element(array.info.type, here);
            const column values = column_of(part, here, 0, 1);
            std::size_t next = 0;
            const auto inner = [&](const auto& again, std::size_t level) -> std::string {
                if (level == part.shape.size())
                    return json_at(values.type, values.at(next++));
                if (is_without_elements(part.shape))
                    return "[]";
                json_list items;
                for (std::size_t i = 0; i < part.shape[level]; ++i)
                    items.add_json(again(again, level + 1));
                return items.str();
            };
            return inner(inner, 0);
        }
        json_list items;
        for (std::size_t i = 0; i < shape[axis]; ++i)
            items.add_json(self(self, axis + 1));
        return items.str();
    };
    return list_of(list_of, 0);
}

}  // namespace tool
