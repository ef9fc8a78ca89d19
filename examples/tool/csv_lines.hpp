// SPDX-License-Identifier: BSD-3-Clause
// Splits CSV text (RFC 4180) into lines and cells.
#pragma once

#include <ndkeep/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tool {

inline constexpr std::string_view csv_blanks = " \t";
inline constexpr std::string_view csv_mark = "\xef\xbb\xbf";  // the byte order mark of UTF-8

/// One value of a line.
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

/// Reads CSV text line by line; a quoted cell may contain newlines.
class csv_lines {
  public:
    csv_lines(std::string_view text, const std::filesystem::path& called, char delimiter = ',')
        : rest_(text), called_(called), ends_{delimiter, '\n'},
          blanks_(delimiter == '\t' ? csv_blanks.substr(0, 1) : csv_blanks) {
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
    /// Number of the line where the row that was read last begins, counted from 1.
    [[nodiscard]] std::size_t line() const noexcept { return line_; }

    [[noreturn]] void fail(std::size_t column, std::string expected, std::string found, std::string hint = {}) const {
        throw ndkeep::format_error(
            {.file = called_,
             .field = "line " + std::to_string(line_) + (column == 0 ? "" : ", column " + std::to_string(column)),
             .expected = std::move(expected),
             .found = std::move(found),
             .hint = std::move(hint)});
    }

  private:
    /// Reads a cell and leaves `at_` at the delimiter or newline after it. Blanks may stand around quotes; without
    /// quotes they belong to the cell.
    [[nodiscard]] csv_cell read_cell(std::size_t column) {
        csv_cell out;
        const std::size_t first = std::min(rest_.find_first_not_of(blanks_, at_), rest_.size());
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
        const std::size_t end =
            std::min(rest_.find_first_of(std::string_view(ends_.data(), ends_.size()), at_), rest_.size());
        auto plain = rest_.substr(at_, end - at_);
        at_ = end;
        if (end < rest_.size() && rest_[end] == '\n' && plain.ends_with('\r'))
            plain.remove_suffix(1);
        if (out.is_quoted && plain.find_first_not_of(blanks_) != std::string_view::npos)
            fail(column, std::string(ends_.front() == ',' ? "a comma" : "the delimiter") + " after the closing quote",
                 "followed by " + ndkeep::quoted(plain.substr(0, plain.find_last_not_of(blanks_) + 1)));
        if (!out.is_quoted)
            out.text = plain;
        return out;
    }

    std::string_view rest_;
    const std::filesystem::path& called_;
    std::array<char, 2> ends_;  // of a cell
    std::string_view blanks_;   // around quotes; without a tab that delimits cells
    std::size_t at_ = 0;
    std::size_t line_ = 0;
    std::size_t lines_in_last_ = 1;
    bool done_ = false;
};

}  // namespace tool
