// SPDX-License-Identifier: BSD-3-Clause
#include "csv.hpp"

#include "cast.hpp"
#include "csv_lines.hpp"
#include "elements.hpp"
#include "time_text.hpp"
#include "value_text.hpp"

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/format/time_unit.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>
#include <set>
#include <utility>

namespace tool {

namespace {

namespace nk = ndkeep;

[[nodiscard]] std::string cell(const std::string& text, const csv_options& options) {
    // In quotes if a reader would change it: many programs trim blanks of unquoted cells, and take neither a byte order
    // mark at the begin of the file nor a "#" before the column names for a part of the text.
    if (!text.empty() && text.front() != '#' && text.find_first_of("\"\r\n") == std::string::npos &&
        text.find(options.delimiter) == std::string::npos && csv_blanks.find(text.front()) == std::string_view::npos &&
        csv_blanks.find(text.back()) == std::string_view::npos && !text.starts_with(csv_mark))
        return text;
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + '"';
}

/// A number with a decimal comma as one with a point, and the reverse. So a number with the other character is none.
[[nodiscard]] std::string with_other_point(std::string text) {
    for (char& c : text)
        c = c == ',' ? '.' : c == '.' ? ',' : c;
    return text;
}

/// Names of all columns for an element of this type.
/// @throws ndkeep::mismatch_error  no column, or more than 65,536
[[nodiscard]] std::vector<std::string> column_names(const std::vector<leaf>& leaves,
                                                    const std::filesystem::path& called) {
    constexpr std::size_t most = std::size_t{1} << 16;
    std::size_t columns = 0;
    for (const auto& each : leaves) {
        columns += each.count();
        if (columns > most)
            throw nk::mismatch_error({.file = called,
                                      .field = "number of columns",
                                      .expected = "at most " + std::to_string(most),
                                      .found = "at least " + std::to_string(columns)});
    }
    // A line always has a cell, so it cannot be that of an element without values.
    if (columns == 0)
        throw nk::mismatch_error({.file = called, .field = "columns", .expected = "at least 1", .found = "0"});
    std::vector<std::string> names;
    for (const auto& each : leaves)
        for (std::size_t i = 0; i < each.count(); ++i)
            names.push_back(each.count() == 1 ? each.path : each.path + '[' + std::to_string(i) + ']');
    return names;
}

/// Parses a number at the beginning of the text and removes it; a leading "+" is accepted.
template <class Number>
[[nodiscard]] std::optional<Number> take_number(std::string_view& text) {
    auto digits = text;
    if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-')
        digits.remove_prefix(1);
    Number value{};
    const auto done = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (done.ec != std::errc())
        return std::nullopt;
    text = digits.substr(static_cast<std::size_t>(done.ptr - digits.data()));
    return value;
}

template <class Number>
[[nodiscard]] std::optional<Number> take_whole(std::string_view text) {
    const auto value = take_number<Number>(text);
    return text.empty() ? value : std::nullopt;
}

/// Parses at the width of the dtype, so that the value is rounded only once. Numbers of two bytes are parsed as double.
[[nodiscard]] std::optional<long double> take_real(std::string_view& text, std::size_t bytes) {
    const auto widened = [](const auto& value) {
        return value ? std::optional(static_cast<long double>(*value)) : std::nullopt;
    };
    if (bytes <= 4)
        return bytes < 4 ? widened(take_number<double>(text)) : widened(take_number<float>(text));
    return bytes <= 8 ? widened(take_number<double>(text)) : take_number<long double>(text);
}

/// Untyped bytes, with two digits each.
[[nodiscard]] bool parse_hexadecimal(std::string_view text, std::span<std::byte> to) {
    if (text.size() != 2 * to.size())
        return false;
    for (std::size_t i = 0; i < to.size(); ++i) {
        unsigned byte = 0;
        const char* const digits = text.data() + 2 * i;
        const auto [end, problem] = std::from_chars(digits, digits + 2, byte, 16);
        if (problem != std::errc() || end != digits + 2)
            return false;
        to[i] = std::byte(byte);
    }
    return true;
}

/// Whether the text stands for a missing value, as other programs write it. NaT is not here: it is a date.
[[nodiscard]] bool is_missing(std::string_view text) {
    constexpr std::array<std::string_view, 10> words = {"",     "NA",   "N/A",  "n/a", "#N/A",
                                                        "NULL", "null", "None", "NaN", "nan"};
    return std::find(words.begin(), words.end(), text) != words.end();
}

/// @param decimal  the decimal point of floating-point and complex numbers
/// @return whether the text is a valid value of this type
[[nodiscard]] bool parse_cell(const nk::dtype& type, std::string_view text, std::byte* to, char decimal) {
    if (is_missing(text) && type.is_inexact())
        return write_number(type, std::numeric_limits<long double>::quiet_NaN(), 0, to);
    if (is_missing(text) && type.is_time())
        text = "NaT";
    std::string swapped;
    if (decimal == ',' && type.is_inexact())
        text = swapped = with_other_point(std::string(text));
    if (type.is_floating_point()) {
        const auto value = take_real(text, static_cast<std::size_t>(type.size()));
        return value && text.empty() && write_number(type, *value, 0, to);
    }
    if (type.is_text())
        return write_text(type, text, to);
    if (type.is_time()) {
        const auto count =
            type.kind() == 'M' || text == "NaT" ? date_count(type, text) : take_whole<std::int64_t>(text);
        return count && write_number(nk::dtype::plain('i', 8, type.order()), static_cast<long double>(*count), 0, to);
    }
    switch (type.kind()) {
    case 'b': {
        const bool yes = text == "True" || text == "true" || text == "1";
        *to = yes ? std::byte{1} : std::byte{0};
        return yes || text == "False" || text == "false" || text == "0";
    }
    case 'i': {
        const auto value = take_whole<std::int64_t>(text);
        return value && write_number(type, static_cast<long double>(*value), 0, to);
    }
    case 'u': {
        const auto value = take_whole<std::uint64_t>(text);
        return value && write_number(type, static_cast<long double>(*value), 0, to);
    }
    case 'c': {
        if (text.size() > 2 && text.front() == '(' && text.back() == ')')
            text = text.substr(1, text.size() - 2);
        const auto bytes = static_cast<std::size_t>(type.size()) / 2;
        auto real = take_real(text, bytes);
        std::optional<long double> imaginary = 0;
        if (real && text == "j") {
            imaginary = std::exchange(real, 0);
            text = {};
        } else if (real && !text.empty()) {
            imaginary = take_real(text, bytes);
            if (text != "j")
                return false;
            text = {};
        }
        return real && imaginary && write_number(type, *real, *imaginary, to);
    }
    default:
        return parse_hexadecimal(text, {to, static_cast<std::size_t>(type.size())});
    }
}

/// Whether the text is an integer that float64 cannot hold.
[[nodiscard]] bool is_rounded_integer(std::string_view text) {
    auto digits = text;
    if (digits.starts_with('-') || digits.starts_with('+'))
        digits.remove_prefix(1);
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
        return false;
    const auto value = take_whole<double>(digits);
    if (!value)
        return true;  // larger than any double
    std::array<char, 512> exact = {};
    std::snprintf(exact.data(), exact.size(), "%.0f", *value);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
    return digits != exact.data();
}

/// Names the option if the text has a delimiter that is not the chosen one.
[[nodiscard]] std::string delimiter_hint(std::string_view text, const csv_options& options) {
    const auto has = [&](char c) { return options.delimiter != c && text.find(c) != std::string_view::npos; };
    return has(';')    ? "--delimiter ';' if semicolons separate the values"
           : has('\t') ? "--delimiter tab if tabs separate the values"
                       : "";
}

/// @throws ndkeep::format_error  another number of values
void check_columns(const csv_lines& lines, const std::vector<csv_cell>& cells, std::size_t columns,
                   const csv_options& options) {
    if (cells.size() == columns)
        return;
    std::string hint;
    for (const auto& each : cells)
        hint = hint.empty() ? delimiter_hint(each.text, options) : hint;
    lines.fail(0, nk::counted(columns, "value"), "a row of " + nk::counted(cells.size(), "value"),
               hint.empty() ? "all rows need the same number of values" : hint);
}

/// Finds the dtype of csv without one: which of the possible dtypes fit all values seen so far.
class csv_guess {
  public:
    explicit csv_guess(char decimal) : decimal_(decimal) {}

    void see(const csv_cell& cell) {
        const auto text = cell.number();
        width_ = std::max(width_, nk::core::character_count(cell.text));
        if (is_missing(text)) {
            has_missing_ = true;
            return;
        }
        std::array<std::byte, 16> unused;
        const auto may_be = [&](bool& fits, char kind, std::uint64_t size) {
            fits = fits && parse_cell(nk::dtype::plain(kind, size), text, unused.data(), decimal_);
        };
        is_empty_ = false;
        may_be(is_signed_, 'i', 8);
        may_be(is_unsigned_, 'u', 8);
        // Each of these takes all values of the one before, so it need not be tried earlier.
        if (!is_signed_ && !is_unsigned_)
            may_be(is_real_, 'f', 8);
        if (!is_real_)
            may_be(is_complex_, 'c', 16);
        is_bool_ = is_bool_ && text != "0" && text != "1";
        may_be(is_bool_, 'b', 1);
        if (!is_date_ || text == "NaT")
            return;
        const auto unit = unit_of_date(text);
        is_date_ = unit.has_value();
        if (unit)
            unit_ = std::max(unit_, nk::core::find_unit(*unit));  // in the table, a finer unit comes later
    }
    /// Whether another value can change the type.
    [[nodiscard]] bool is_open() const { return is_real_ || is_complex_ || is_bool_ || is_date_; }
    /// The first dtype that fits all values; nullopt if none does. Only floating-point numbers and dates can be
    /// missing.
    [[nodiscard]] std::optional<nk::dtype> value_type() const {
        if (!is_empty_ && !has_missing_ && (is_signed_ || is_unsigned_))
            return nk::dtype::plain(is_signed_ ? 'i' : 'u', 8);
        if (!is_empty_ && !has_missing_ && is_bool_)
            return nk::dtype::plain('b', 1);
        if (is_date_ && unit_ != nullptr)
            return nk::dtype::time('M', std::string(unit_->name));
        if (is_real_)
            return nk::dtype::plain('f', 8);
        return is_complex_ ? std::optional(nk::dtype::plain('c', 16)) : std::nullopt;
    }
    /// Whether the values are not text, and not all missing.
    [[nodiscard]] bool has_values() const { return !is_empty_ && value_type(); }
    /// The dtype of all values of csv without column names. A value that does not fit it is an error later.
    [[nodiscard]] nk::dtype type() const {
        if (!is_empty_ && is_bool_)
            return nk::dtype::plain('b', 1);
        return value_type().value_or(nk::dtype::plain('f', 8));
    }
    /// The dtype of a column: text if its values are of no other dtype.
    [[nodiscard]] nk::dtype column_type() const {
        constexpr std::size_t bytes = 4;  // of a character in U
        const auto type = value_type();
        return type ? *type : nk::dtype::plain('U', bytes * width_);
    }

  private:
    char decimal_;
    bool is_empty_ = true, is_signed_ = true, is_unsigned_ = true, is_bool_ = true, is_real_ = true, is_complex_ = true,
         is_date_ = true, has_missing_ = false;
    const nk::core::time_unit* unit_ = nullptr;
    std::size_t width_ = 0;  // of the longest text, in characters
};

/// A cell as a column name. Drops the "#" that numpy.savetxt writes before the first name.
[[nodiscard]] std::string_view column_name(const std::vector<csv_cell>& cells, std::size_t i) {
    auto name = cells[i].number();
    if (i == 0 && !cells[i].is_quoted && name.starts_with('#'))
        name.remove_prefix(std::min(name.find_first_not_of(csv_blanks, 1), name.size()));
    return name;
}

/// A line of column names: all different, in UTF-8 and not empty.
struct csv_header_line {
    std::vector<std::string> names = {};
    std::size_t problem = 0;         ///< the first column without a valid name, counted from 1; 0 if there is none
    std::string_view expected = {};  ///< instead, in that column
};

[[nodiscard]] csv_header_line header_of(const std::vector<csv_cell>& cells) {
    csv_header_line out;
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const auto name = column_name(cells, i);
        out.expected = name.empty()                ? "a column name"
                       : !nk::core::is_utf8(name)  ? "a column name in UTF-8"
                       : !seen.insert(name).second ? "a name that no column before it has"
                                                   : "";
        out.names.emplace_back(name);
        if (!out.expected.empty()) {
            out.problem = out.names.size();
            break;
        }
    }
    return out;
}

/// Whether a cell holds a value, so that it is hardly a column name.
[[nodiscard]] bool is_value(const csv_cell& cell, char decimal) {
    csv_guess guess(decimal);
    guess.see(cell);
    return guess.value_type().has_value();
}

/// What csv text without a given dtype holds.
struct csv_form {
    nk::dtype type = {};     ///< of a row if there are names, else of a value
    bool has_names = false;  ///< in the first line
};

/// A struct with one field for each column.
/// @param rows  number of lines after the names
[[nodiscard]] nk::dtype row_type(const std::vector<std::string>& names, const std::vector<csv_guess>& columns,
                                 std::uint64_t rows, std::string_view text, const std::filesystem::path& called) {
    std::vector<nk::dtype::field> fields;
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        fields.push_back({.name = names[i], .type = columns[i].column_type(), .offset = size});
        size += fields.back().type.size();
    }
    // Every row has room for the longest text of a column, so a single long text could exhaust the memory.
    constexpr std::uint64_t most = 256;
    if (rows != 0 && size > most * text.size() / rows)
        throw nk::mismatch_error({.file = called,
                                  .field = "size of a row",
                                  .expected = "at most " + std::to_string(most * text.size() / rows) + " bytes",
                                  .found = nk::counted(size, "byte"),
                                  .hint = "every row has room for the longest text of each column; S in --dtype takes "
                                          "a quarter of U"});
    return nk::dtype::structure(std::move(fields), size, called);
}

/// The form of csv with column names in its first line; nullopt if that line has values, or if no column has any:
/// then it may as well be text without names.
[[nodiscard]] std::optional<csv_form> form_with_names(std::string_view text, const csv_options& options,
                                                      const std::filesystem::path& called) {
    const bool is_required = options.header == csv_header::present;
    csv_lines lines(text, called, options.delimiter);
    const auto first = lines.next();
    if (!first) {
        if (is_required)
            throw nk::format_error(
                {.file = called, .field = "first line", .expected = "column names", .found = "missing"});
        return std::nullopt;
    }
    const auto header = header_of(*first);
    if (header.problem != 0 && is_required) {
        const auto& name = header.names.back();
        lines.fail(header.problem, std::string(header.expected), name.empty() ? "empty" : nk::quoted(name));
    }
    const auto has_value = [&](const csv_cell& each) { return is_value(each, options.decimal); };
    if (!is_required && (header.problem != 0 || std::any_of(first->begin(), first->end(), has_value)))
        return std::nullopt;
    std::vector<csv_guess> columns(first->size(), csv_guess(options.decimal));
    std::uint64_t rows = 0;
    for (; const auto cells = lines.next(); ++rows) {
        check_columns(lines, *cells, columns.size(), options);
        for (std::size_t i = 0; i < columns.size(); ++i)
            columns[i].see((*cells)[i]);
    }
    if (!is_required &&
        std::none_of(columns.begin(), columns.end(), [](const csv_guess& each) { return each.has_values(); }))
        return std::nullopt;
    return csv_form{row_type(header.names, columns, rows, text, called), true};
}

[[nodiscard]] csv_form form_of(std::string_view text, const csv_options& options, const std::filesystem::path& called) {
    if (options.header != csv_header::absent)
        if (auto form = form_with_names(text, options, called))
            return std::move(*form);
    csv_guess guess(options.decimal);
    csv_lines lines(text, called, options.delimiter);
    while (guess.is_open()) {
        const auto cells = lines.next();
        if (!cells)
            break;
        for (const auto& each : *cells)
            guess.see(each);
    }
    return {guess.type()};
}

/// Whether the first line of csv with a given dtype has column names and is to be skipped. Those of a struct are the
/// names of its columns; without fields, any text is a name, so the line is skipped only on request.
[[nodiscard]] bool begins_with_names(const csv_lines& lines, const std::vector<csv_cell>& cells,
                                     const std::vector<std::string>& names, bool is_struct,
                                     const csv_options& options) {
    if (options.header == csv_header::absent || !is_struct)
        return options.header == csv_header::present;
    const auto is_name = [&](std::size_t i) {
        return names[i] == cells[i].text || names[i] == cells[i].number() || names[i] == column_name(cells, i);
    };
    if (options.header == csv_header::automatic) {
        std::size_t i = 0;
        while (i < std::min(cells.size(), names.size()) && is_name(i))
            ++i;
        return i == cells.size() && i == names.size();
    }
    check_columns(lines, cells, names.size(), options);
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!is_name(i))
            lines.fail(i + 1, "the field name " + nk::quoted(names[i]), nk::quoted(cells[i].number()),
                       "as in the dtype");
    return true;
}

/// How to read a value that does not fit its dtype.
[[nodiscard]] std::string hint_about(const nk::dtype& type, std::string_view text, bool is_first_line, bool is_given,
                                     const csv_options& options) {
    std::array<std::byte, 16> unused;
    if (is_missing(text))
        return "only floating-point numbers and times can be missing; --dtype float64 reads NaN";
    if (const auto hint = delimiter_hint(text, options); !hint.empty())
        return hint;
    if (type.is_inexact() && options.decimal == '.' && text.find(',') != std::string_view::npos &&
        parse_cell(nk::dtype::plain('c', 16), text, unused.data(), ','))
        return "--decimal , reads a decimal comma";
    if (is_first_line && options.header == csv_header::automatic)
        return "--header yes if the line has column names";
    return is_given ? "" : "--dtype U20 reads text of up to 20 characters";
}

}  // namespace

void write_csv(const nk::array_view& array, const std::filesystem::path& called,
               const std::function<void(std::string_view)>& put, const csv_options& options) {
    const auto& shape = array.shape();
    const auto& type = array.type();
    const std::size_t most_dimensions = type.is_struct() ? 1 : 2;
    if (shape.size() > most_dimensions)
        throw nk::mismatch_error(
            {.file = called,
             .field = "shape",
             .expected = "at most " + nk::counted(most_dimensions, "dimension"),
             .found = nk::shape_text(shape),
             .hint = type.is_struct() ? "csv has one row per struct" : "csv has rows and columns only"});
    const auto leaves = leaves_of(type);
    if (type.is_struct()) {
        std::string names;
        for (const auto& name : column_names(leaves, called)) {
            if (!names.empty())
                names += options.delimiter;
            names += cell(name, options);
        }
        names += '\n';
        put(names);
    }
    const std::size_t columns = shape.size() == 2 ? shape[1] : 1;
    const auto item = static_cast<std::size_t>(type.size());
    constexpr std::size_t block = std::size_t{1} << 20;  // in bytes
    const std::size_t most = std::max<std::size_t>(1, std::min(block / std::max<std::size_t>(1, item), array.size()));
    const auto rows = array.in_order(nk::order::row_major);
    const nk::core::buffer made(std::max<std::size_t>(1, most * item));
    std::string lines;
    for (std::size_t first = 0; first < array.size(); first += most) {
        const std::size_t some = std::min(most, array.size() - first);
        rows.fill(first, some, made.data());
        lines.clear();
        for (std::size_t i = 0; i < some; ++i) {
            bool is_first = true;
            for (const auto& each : leaves)
                for (std::size_t k = 0; k < each.count(); ++k) {
                    if (!std::exchange(is_first, false))
                        lines += options.delimiter;
                    auto value = value_text(each.type, made.data() + i * item + each.offset_of(k));
                    if (options.decimal == ',' && each.type.is_inexact())
                        value = with_other_point(std::move(value));
                    lines += cell(value, options);
                }
            lines += (first + i + 1) % columns == 0 ? '\n' : options.delimiter;
        }
        put(lines);
    }
}

nk::any_array read_csv(std::string_view text, const std::optional<nk::dtype>& given,
                       const std::filesystem::path& called, const csv_options& options) {
    const auto form = given ? csv_form{*given} : form_of(text, options, called);
    const auto& type = form.type;
    const auto leaves = leaves_of(type);
    const auto names = column_names(leaves, called);
    csv_lines lines(text, called, options.delimiter);
    std::vector<std::byte> bytes;
    std::size_t columns = type.is_struct() ? names.size() : 0, rows = 0;
    const auto item = static_cast<std::size_t>(type.size());
    bool is_first = true;
    while (const auto cells = lines.next()) {
        if (std::exchange(is_first, false) &&
            (given ? begins_with_names(lines, *cells, names, type.is_struct(), options) : form.has_names))
            continue;
        if (columns == 0)
            columns = cells->size();
        check_columns(lines, *cells, columns, options);
        const std::size_t at = bytes.size();
        bytes.resize(at + (type.is_struct() ? item : columns * item));
        std::size_t column = 0;
        const auto put = [&](const nk::dtype& wanted, std::byte* to) {
            const auto& each = (*cells)[column++];
            if (!given && wanted.is_inexact() && is_rounded_integer(each.number()))
                lines.fail(column, "an integer that float64 holds exactly", nk::quoted(each.number()),
                           "--dtype int64 or uint64 keeps integers, a struct dtype has one type per column, --dtype "
                           "float64 rounds");
            const auto said = wanted.is_text() ? std::string_view(each.text) : each.number();
            if (!parse_cell(wanted, said, to, options.decimal))
                lines.fail(column, "a value of dtype " + nk::quoted(wanted.str()),
                           said.empty() ? "empty" : nk::quoted(said),
                           hint_about(wanted, said, lines.line() == 1, given.has_value(), options));
        };
        if (type.is_struct()) {
            for (const auto& each : leaves)
                for (std::size_t k = 0; k < each.count(); ++k)
                    put(each.type, bytes.data() + at + each.offset_of(k));
        } else {
            for (std::size_t i = 0; i < columns; ++i)
                put(type, bytes.data() + at + i * item);
        }
        ++rows;
    }
    std::vector<std::size_t> shape = {rows};
    if (!type.is_struct() && columns > 1)
        shape.push_back(columns);
    nk::any_array out(type, shape);
    std::copy(bytes.begin(), bytes.end(), out.bytes().begin());
    return out;
}

}  // namespace tool
