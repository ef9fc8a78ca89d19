// SPDX-License-Identifier: BSD-3-Clause
#include "csv.hpp"

#include "cast.hpp"
#include "elements.hpp"
#include "time_text.hpp"
#include "value_text.hpp"

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/format/time_unit.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace tool {

namespace {

namespace nk = ndkeep;

constexpr std::string_view csv_blanks = " \t";
constexpr std::string_view csv_mark = "\xef\xbb\xbf";

[[nodiscard]] std::string cell(const std::string& text) {
    // In quotes if a reader would change it: many programs trim blanks of unquoted cells, and most take a byte order
    // mark at the begin of the file for no part of the text.
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos &&
        csv_blanks.find(text.front()) == std::string_view::npos &&
        csv_blanks.find(text.back()) == std::string_view::npos && !text.starts_with(csv_mark))
        return text;
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + '"';
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

struct csv_cell {
    std::string text = {};
    bool is_quoted = false;

    /// The text without the blanks around a number.
    [[nodiscard]] std::string_view number() const {
        const std::size_t first = text.find_first_not_of(csv_blanks);
        if (is_quoted || first == std::string::npos)
            return is_quoted ? std::string_view(text) : std::string_view();
        return std::string_view(text).substr(first, text.find_last_not_of(csv_blanks) + 1 - first);
    }
};

/// Reads a CSV line by line; a quoted cell may contain newlines.
class csv_lines {
  public:
    csv_lines(std::string_view text, const std::filesystem::path& called) : rest_(text), called_(called) {
        while (!rest_.empty() && (rest_.back() == '\n' || rest_.back() == '\r'))
            rest_.remove_suffix(1);
        if (rest_.starts_with(csv_mark))
            rest_.remove_prefix(csv_mark.size());
        done_ = rest_.empty();
    }

    [[nodiscard]] std::optional<std::vector<csv_cell>> next() {
        if (done_)
            return std::nullopt;
        line_ += lines_in_last_;
        lines_in_last_ = 1;
        std::vector<csv_cell> cells;
        for (;;) {
            cells.push_back(read_cell(cells.size() + 1));
            if (at_ == rest_.size()) {
                done_ = true;
                return cells;
            }
            if (rest_[at_++] == '\n')
                return cells;
        }
    }
    /// Number of the row that was read last, counted from 1.
    [[nodiscard]] std::size_t line() const noexcept { return line_; }

    [[noreturn]] void fail(std::size_t column, std::string expected, std::string found, std::string hint = {}) const {
        throw nk::format_error(
            {.file = called_,
             .field = "line " + std::to_string(line_) + (column == 0 ? "" : ", column " + std::to_string(column)),
             .expected = std::move(expected),
             .found = std::move(found),
             .hint = std::move(hint)});
    }

  private:
    /// Reads a cell and leaves `at_` at the comma or newline after it. Blanks may stand around quotes; without quotes
    /// they belong to the cell.
    [[nodiscard]] csv_cell read_cell(std::size_t column) {
        csv_cell out;
        const std::size_t first = std::min(rest_.find_first_not_of(csv_blanks, at_), rest_.size());
        if (first < rest_.size() && rest_[first] == '"') {
            at_ = first;
            out.is_quoted = true;
            for (++at_;; ++at_) {
                if (at_ == rest_.size())
                    fail(column, "a closing quote", "unterminated");
                if (rest_[at_] == '"' && (++at_ == rest_.size() || rest_[at_] != '"'))
                    break;
                lines_in_last_ += rest_[at_] == '\n' ? 1 : 0;
                out.text += rest_[at_];
            }
        }
        const std::size_t end = std::min(rest_.find_first_of(",\n", at_), rest_.size());
        auto plain = rest_.substr(at_, end - at_);
        at_ = end;
        if (end < rest_.size() && rest_[end] == '\n' && plain.ends_with('\r'))
            plain.remove_suffix(1);
        if (out.is_quoted && plain.find_first_not_of(csv_blanks) != std::string_view::npos)
            fail(column, "a comma after the closing quote",
                 "followed by " + nk::quoted(plain.substr(0, plain.find_last_not_of(csv_blanks) + 1)));
        if (!out.is_quoted)
            out.text = plain;
        return out;
    }

    std::string_view rest_;
    const std::filesystem::path& called_;
    std::size_t at_ = 0;
    std::size_t line_ = 0;
    std::size_t lines_in_last_ = 1;
    bool done_ = false;
};

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

/// @return whether the text is a valid value of this type
[[nodiscard]] bool parse_cell(const nk::dtype& type, std::string_view text, std::byte* to) {
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

/// Finds the dtype of csv without one: which of the possible dtypes fit all values seen so far.
class csv_guess {
  public:
    void see(std::string_view text) {
        std::array<std::byte, 16> unused;
        const auto may_be = [&](bool& fits, char kind, std::uint64_t size) {
            fits = fits && parse_cell(nk::dtype::plain(kind, size), text, unused.data());
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
    [[nodiscard]] nk::dtype type() const {
        if (is_empty_)
            return nk::dtype::plain('f', 8);
        if (is_signed_ || is_unsigned_)
            return nk::dtype::plain(is_signed_ ? 'i' : 'u', 8);
        if (is_bool_)
            return nk::dtype::plain('b', 1);
        if (is_date_ && unit_ != nullptr)
            return nk::dtype::time('M', std::string(unit_->name));
        // A value that fits no dtype is reported as one that is not float64.
        return is_real_ || !is_complex_ ? nk::dtype::plain('f', 8) : nk::dtype::plain('c', 16);
    }

  private:
    bool is_empty_ = true, is_signed_ = true, is_unsigned_ = true, is_bool_ = true, is_real_ = true, is_complex_ = true,
         is_date_ = true;
    const nk::core::time_unit* unit_ = nullptr;
};

[[nodiscard]] nk::dtype guessed_type(std::string_view text, const std::filesystem::path& called) {
    csv_guess guess;
    csv_lines lines(text, called);
    while (guess.is_open()) {
        const auto cells = lines.next();
        if (!cells)
            break;
        for (const auto& each : *cells)
            guess.see(each.number());
    }
    return guess.type();
}

}  // namespace

void write_csv(const nk::array_view& array, const std::filesystem::path& called,
               const std::function<void(std::string_view)>& put) {
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
            names += names.empty() ? "" : ",";
            names += cell(name);
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
                        lines += ',';
                    lines += cell(value_text(each.type, made.data() + i * item + each.offset_of(k)));
                }
            lines += (first + i + 1) % columns == 0 ? '\n' : ',';
        }
        put(lines);
    }
}

nk::any_array read_csv(std::string_view text, const std::optional<nk::dtype>& given,
                       const std::filesystem::path& called) {
    const nk::dtype type = given ? *given : guessed_type(text, called);
    const auto leaves = leaves_of(type);
    const auto names = column_names(leaves, called);
    csv_lines lines(text, called);
    std::vector<std::byte> bytes;
    std::size_t columns = type.is_struct() ? names.size() : 0, rows = 0;
    const auto item = static_cast<std::size_t>(type.size());
    bool may_be_names = type.is_struct();
    while (const auto cells = lines.next()) {
        if (std::exchange(may_be_names, false) && cells->size() == names.size() &&
            std::equal(names.begin(), names.end(), cells->begin(), [](const std::string& name, const csv_cell& each) {
                return name == each.text || name == each.number();
            }))
            continue;
        if (columns == 0)
            columns = cells->size();
        if (cells->size() != columns)
            lines.fail(0, nk::counted(columns, "value"), "a row of " + nk::counted(cells->size(), "value"),
                       "all rows need the same number of values");
        const std::size_t at = bytes.size();
        bytes.resize(at + (type.is_struct() ? item : columns * item));
        std::size_t column = 0;
        const auto put = [&](const nk::dtype& wanted, std::byte* to) {
            const auto& each = (*cells)[column++];
            if (!given && type.is_inexact() && is_rounded_integer(each.number()))
                lines.fail(column, "an integer that float64 holds exactly", nk::quoted(each.number()),
                           "--dtype int64 or uint64 keeps integers, a struct dtype has one type per column, --dtype "
                           "float64 rounds");
            const auto said = wanted.is_text() ? std::string_view(each.text) : each.number();
            if (!parse_cell(wanted, said, to))
                lines.fail(column, "a value of dtype " + nk::quoted(wanted.str()),
                           said.empty() ? "empty" : nk::quoted(said),
                           lines.line() == 1 ? "a line of column names is accepted only with a struct dtype" : "");
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
