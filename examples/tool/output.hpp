// SPDX-License-Identifier: BSD-3-Clause
// What commands print: bytes and dtypes in words, tables, sheets of facts, and JSON whose keys stay in order.
#pragma once

#include "terminal.hpp"

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>

#include <concepts>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tool {

/// Text out of a file as it may be shown: UTF-8 without anything that a terminal would obey.
[[nodiscard]] inline std::string shown(std::string_view text) { return ndkeep::core::escaped(text); }
/// The same, cut to so many characters.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);
[[nodiscard]] inline std::string shown_path(const std::filesystem::path& path) { return shown(path.native()); }

/// Columns that it takes on a screen.
[[nodiscard]] inline std::size_t width_of(std::string_view text) { return ndkeep::core::character_count(text); }

/// "102.8 KiB"
[[nodiscard]] std::string human_bytes(std::uint64_t count);
/// "105236 bytes (102.8 KiB)"
[[nodiscard]] std::string full_bytes(std::uint64_t count);
/// "12.5 %"; "-" of nothing
[[nodiscard]] std::string percent(std::uint64_t part, std::uint64_t whole);
/// A number with a few digits, as people read it: "11.23".
[[nodiscard]] std::string brief(double number, int digits = 6);

/// NumPy's `dtype.name`: "float64", "datetime64[ns]", "void128".
[[nodiscard]] std::string dtype_name(const ndkeep::dtype& type);
/// "little-endian", "mixed", or "none" where no byte has a neighbour to change places with.
[[nodiscard]] std::string byte_order_name(const ndkeep::dtype& type);
/// What stands in a sidecar too: "<f8", or `descr` of a struct.
[[nodiscard]] std::string dtype_text(const ndkeep::dtype& type);
/// For tables: "<f8", "struct of 3 fields".
[[nodiscard]] std::string dtype_label(const ndkeep::dtype& type);

/// A list in JSON.
class json_list {
  public:
    void add_text(std::string_view text);
    void add(std::unsigned_integral auto count) { add_json(std::to_string(count)); }
    void add_json(std::string_view json) { text_ += (text_.empty() ? "" : ", ") + std::string(json); }
    [[nodiscard]] std::string str() const { return '[' + text_ + ']'; }

  private:
    std::string text_;
};

[[nodiscard]] std::string json_shape(const std::vector<std::size_t>& shape);

/// An object in JSON, whose members stay in the order they are added.
class json_object {
  public:
    void add_text(std::string_view key, std::string_view text);
    void add(std::string_view key, std::integral auto count) { object_.add(key, std::to_string(count)); }
    void add(std::string_view key, bool flag) { object_.add(key, flag ? "true" : "false"); }
    void add(std::string_view key, double number) { object_.add(key, ndkeep::core::json_text(number)); }
    void add(std::string_view key, const json_object& object) { object_.add(key, object.str()); }
    void add(std::string_view key, const json_list& list) { object_.add(key, list.str()); }
    void add_json(std::string_view key, std::string_view json) { object_.add(key, json); }
    void add_null(std::string_view key) { object_.add(key, "null"); }
    [[nodiscard]] std::string str() const { return object_.str(); }

  private:
    ndkeep::core::object_text object_;
};

/// Rows of text under each other.
class table {
  public:
    enum class side { left, right };
    struct column {
        std::string head;
        side aligned = side::left;
    };

    explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}

    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    [[nodiscard]] std::string text(const terminal& screen, std::string_view indent = "") const;

  private:
    std::vector<column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

/// What there is to say of one file, as text and as JSON.
class sheet {
  public:
    /// A line "label  text". Further lines are indented as the text is.
    void line(std::string_view label, std::string_view text);
    /// Lines that stand as they are.
    void block(std::string_view lines) { text_ += lines; }
    /// Something that is wrong with the file.
    void problem(std::string_view sentence) {
        line("problem", shown(sentence));
        problems_.add_text(sentence);
        has_problems_ = true;
    }
    [[nodiscard]] bool has_problems() const noexcept { return has_problems_; }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// On one line; "problems" comes last.
    [[nodiscard]] std::string json_line() const {
        json_object whole = json;
        whole.add("problems", problems_);
        return whole.str() + '\n';
    }

    json_object json;

  private:
    std::string text_;
    json_list problems_;
    bool has_problems_ = false;
};

}  // namespace tool
