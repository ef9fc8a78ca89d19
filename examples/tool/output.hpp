// SPDX-License-Identifier: BSD-3-Clause
// Output of commands: sizes and dtypes as words, tables, fact sheets, and JSON with keys in a fixed order.
#pragma once

#include "given_name.hpp"
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

/// Text from a file made safe to print: valid UTF-8 without control characters that a terminal would obey.
[[nodiscard]] inline std::string shown(std::string_view text) { return ndkeep::core::escaped(named_as_given(text)); }
/// As above, truncated to this number of characters.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);
[[nodiscard]] inline std::string shown_path(const std::filesystem::path& path) { return shown(path.native()); }

/// Number of terminal columns that the text takes.
[[nodiscard]] inline std::size_t width_of(std::string_view text) { return ndkeep::core::character_count(text); }

/// Size with a binary unit: "102.8 KiB"
[[nodiscard]] std::string human_bytes(std::uint64_t count);
/// Size in bytes and with a unit: "105236 bytes (102.8 KiB)"
[[nodiscard]] std::string full_bytes(std::uint64_t count);
/// Percentage: "12.5 %"; "-" if the total is 0
[[nodiscard]] std::string percent(std::uint64_t part, std::uint64_t whole);
/// A number with few digits, for people: "11.23".
[[nodiscard]] std::string brief(double number, int digits = 6);

/// NumPy's `dtype.name`: "float64", "datetime64[ns]", "void128".
[[nodiscard]] std::string dtype_name(const ndkeep::dtype& type);
/// "little-endian", "big-endian", "mixed", or "none" if byte order does not matter for the dtype.
[[nodiscard]] std::string byte_order_name(const ndkeep::dtype& type);
/// The dtype as in a sidecar: "<f8", or the `descr` of a struct.
[[nodiscard]] std::string dtype_text(const ndkeep::dtype& type);
/// The dtype in short form for tables: "<f8", "struct of 3 fields".
[[nodiscard]] std::string dtype_label(const ndkeep::dtype& type);

/// A JSON list.
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

/// A JSON object whose members keep the order in which they are added.
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

/// A table of text with aligned columns.
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

/// Facts about one file, printed as text or as JSON.
class sheet {
  public:
    /// Adds a line "label  text". Further lines of the text are indented to the same column.
    void line(std::string_view label, std::string_view text);
    /// Adds lines without a label, printed unchanged.
    void block(std::string_view lines) { text_ += lines; }
    /// Adds a problem found in the file.
    void problem(std::string_view sentence) {
        line("problem", shown(sentence));
        problems_.add_text(sentence);
        has_problems_ = true;
    }
    [[nodiscard]] bool has_problems() const noexcept { return has_problems_; }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// The JSON object on one line; the key "problems" comes last.
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
