// SPDX-License-Identifier: BSD-3-Clause
#include "printer.hpp"

#include "output.hpp"

#include <ndkeep/array/strided.hpp>
#include <ndkeep/format/unicode.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace tool {

namespace {

namespace nk = ndkeep;

constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();

[[nodiscard]] std::size_t width_of(const std::string& text) { return nk::detail::character_count(text); }

[[nodiscard]] std::string right(std::string text, std::size_t width) {
    const std::size_t has = width_of(text);
    return std::string(width > has ? width - has : 0, ' ') + text;
}

/// Python's repr of bytes.
[[nodiscard]] std::string bytes_repr(std::string_view bytes, bool all_as_numbers) {
    const bool has_single = bytes.find('\'') != std::string_view::npos;
    const char quote = has_single && bytes.find('"') == std::string_view::npos && !all_as_numbers ? '"' : '\'';
    std::string out = std::string("b") + quote;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (!all_as_numbers && (c == '\t' || c == '\n' || c == '\r' || c == '\\' || c == quote)) {
            out += '\\';
            out += c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c;
        } else if (!all_as_numbers && byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += "\\x";
            const std::string_view digits = all_as_numbers ? "0123456789ABCDEF" : "0123456789abcdef";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out + quote;
}

/// A value whose text does not depend on its neighbours, as it stands in an array.
[[nodiscard]] std::string plain_text(const nk::dtype& type, const std::byte* value) {
    switch (type.kind()) {
    case 'b':
        return *value != std::byte{0} ? "True" : "False";
    case 'i':
        return std::to_string(integer_at(type, value));
    case 'u':
        return std::to_string(unsigned_at(type, value));
    case 'M':
    case 'm': {
        const auto count = integer_at(type, value);
        if (type.kind() == 'm' && count != not_a_time)
            return std::to_string(count);
        return '\'' + date_text(type, count) + '\'';
    }
    case 'S':
        return bytes_repr(text_at(type, value), false);
    case 'U':
        return nk::detail::python_repr(text_at(type, value));
    default:
        return bytes_repr({reinterpret_cast<const char*>(value), static_cast<std::size_t>(type.size())}, true);
    }
}

/// Which indexes of an axis are shown, and after how many of them "..." stands; 0: all are there.
struct shown_axis {
    axis_indexes indexes;
    std::size_t gap = 0;
};

[[nodiscard]] bool is_long(const std::vector<std::size_t>& shape, std::uint64_t threshold) {
    if (std::find(shape.begin(), shape.end(), std::size_t{0}) != shape.end())
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
    for (const auto& axis : slices) {
        const bool cut = summarised && axis.count / 2 >= style.edge && axis.count > 2 * style.edge;
        auto& shown = out.emplace_back();
        const std::uint64_t count = cut ? style.edge : axis.count;
        if (!nk::detail::fits({static_cast<std::size_t>(count)}, 1, std::uint64_t{1} << 26))
            throw nk::mismatch_error({.field = "elements to be shown at once",
                                      .expected = "fewer",
                                      .found = std::to_string(count),
                                      .hint = "slices take less"});
        for (std::uint64_t i = 0; i < count; ++i)
            shown.indexes.push_back(axis.at(i));
        for (std::uint64_t i = cut ? style.edge : 0; i > 0; --i)
            shown.indexes.push_back(axis.at(axis.count - i));
        shown.gap = cut ? static_cast<std::size_t>(style.edge) : 0;
    }
    return out;
}

/// NumPy's _formatArray.
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
                // A line has one word at least, and room for the bracket that ends it.
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

/// "[1, 2, 3]"; of many values the first and last few.
[[nodiscard]] std::string sub_array_text(const column_texts& texts, const std::vector<std::size_t>& shape,
                                         std::size_t axis, std::size_t first, std::size_t edge) {
    if (axis == shape.size())
        return texts.at(first);
    constexpr std::size_t many = 16;
    const std::size_t inner = nk::detail::product({shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()});
    const bool cut = nk::detail::product(shape) > many && shape[axis] > 2 * edge;
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

/// A row for each element, a column for each leaf.
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
    columns.reserve(leaves.size());  // the texts refer to them
    for (const auto& part : leaves) {
        columns.push_back(column_of(part, elements, static_cast<std::size_t>(array.info.type.size()), rows));
        texts.emplace_back(columns.back(), style.precision);
        const bool is_text = !is_number(part.type) || !part.shape.empty();
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
            // Whatever is left out on an axis is left out in front of its first row.
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

column_texts::column_texts(const column& values, int precision) : values_(values) {
    const char kind = values.type.kind();
    const auto size = static_cast<std::size_t>(values.type.size());
    if (kind == 'f' || kind == 'c') {
        const std::size_t half = kind == 'c' ? size / 2 : size;
        std::vector<long double> numbers(values.count);
        for (std::size_t i = 0; i < values.count; ++i)
            numbers[i] = real_at(half, values.at(i));
        real_.emplace(numbers, half, precision);
        if (kind == 'c') {
            for (std::size_t i = 0; i < values.count; ++i)
                numbers[i] = real_at(half, values.at(i) + half);
            imaginary_.emplace(numbers, half, precision, true);
        }
        return;
    }
    if (kind == 'b')
        width_ = 4 + (values.count == 0 ? 0 : 1);
    if (kind != 'i' && kind != 'u' && kind != 'M' && kind != 'm')
        return;
    for (std::size_t i = 0; i < values.count; ++i)
        width_ = std::max(width_, width_of(plain_text(values.type, values.at(i))));
}

std::string column_texts::at(std::size_t i) const {
    const auto* const value = values_.at(i);
    if (imaginary_) {
        const auto half = static_cast<std::size_t>(values_.type.size()) / 2;
        auto imaginary = imaginary_->text(real_at(half, value + half));
        imaginary.insert(imaginary.find_last_not_of(' ') + 1, 1, 'j');
        return real_->text(real_at(half, value)) + imaginary;
    }
    if (real_)
        return real_->text(real_at(static_cast<std::size_t>(values_.type.size()), value));
    return tool::right(plain_text(values_.type, value), width_);
}

std::string lone_time(const nk::dtype& native, std::int64_t count) {
    if (native.kind() == 'M' || count == not_a_time)
        return date_text(native, count);
    constexpr std::array<std::array<std::string_view, 2>, 13> names = {{{"Y", "years"},
                                                                        {"M", "months"},
                                                                        {"W", "weeks"},
                                                                        {"D", "days"},
                                                                        {"h", "hours"},
                                                                        {"m", "minutes"},
                                                                        {"s", "seconds"},
                                                                        {"ms", "milliseconds"},
                                                                        {"us", "microseconds"},
                                                                        {"ns", "nanoseconds"},
                                                                        {"ps", "picoseconds"},
                                                                        {"fs", "femtoseconds"},
                                                                        {"as", "attoseconds"}}};
    std::int64_t units = 0;
    if (__builtin_mul_overflow(count, native.multiple(), &units))
        return std::to_string(count);
    for (const auto& [unit, name] : names)
        if (unit == native.unit())
            return std::to_string(units) + ' ' + std::string(name);
    return std::to_string(units) + " generic time units";
}

std::string lone_value(const nk::dtype& native, const std::byte* value) {
    const auto size = static_cast<std::size_t>(native.size());
    switch (native.kind()) {
    case 'f':
        return scalar_text(real_at(size, value), size);
    case 'c':
        return complex_text(real_at(size / 2, value), real_at(size / 2, value + size / 2), size / 2);
    case 'M':
    case 'm':
        return lone_time(native, integer_at(native, value));
    case 'U':
        return shown(text_at(native, value));
    default:
        return plain_text(native, value);
    }
}

leaf leaf_named(const stored_array& array, const std::string& path) {
    std::string names;
    for (auto& part : leaves_of(array.info.type)) {
        if (part.path == path)
            return part;
        names += (names.empty() ? "one of " : ", ") + nk::quoted(part.path);
    }
    throw nk::mismatch_error({.file = array.file,
                              .field = "field " + nk::quoted(path),
                              .expected = array.info.type.is_struct() ? names : "none: it is no struct",
                              .found = "missing"});
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
