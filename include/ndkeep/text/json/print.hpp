// SPDX-License-Identifier: BSD-3-Clause
// JSON for what ndkeep keeps in it: values written as text, with numbers that are not finite as strings, and objects
// read member by member.
//
// nlohmann's own serializer is left to those who use it, for the same reason as its parser:
// <ndkeep/text/json/parser.hpp>.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/unicode.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

namespace ndkeep {

namespace detail {

/// Control characters are escaped, DEL and C1 too: JSON may be printed to a terminal.
inline void append_json_text(std::string& out, std::string_view text) {
    if (!is_utf8(text))
        throw mismatch_error({.field = "text", .expected = "UTF-8", .found = printed(text)});
    constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    for (std::size_t at = 0; at < text.size(); ++at) {
        char c = text[at];
        const bool is_c1 = c == '\xc2' && static_cast<unsigned char>(text[at + 1]) < 0xa0;  // UTF-8: one more follows
        if (is_c1)
            c = text[++at];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f || is_c1) {
            out += "\\u00";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

/// The shortest text that reads back as the same double, and as a double.
inline void append_json_number(std::string& out, double number) {
    if (!std::isfinite(number)) {
        out += number > 0 ? "\"Infinity\"" : number < 0 ? "\"-Infinity\"" : "\"NaN\"";
        return;
    }
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    out += text;
    if (text.find_first_of(".e") == std::string_view::npos)
        out += ".0";
}

/// The double behind a number or one of the three strings.
[[nodiscard]] inline std::optional<double> json_number(const json& value) {
    if (const auto* const real = value.get_ptr<const json::number_float_t*>())
        return *real;
    if (const auto* const count = value.get_ptr<const json::number_unsigned_t*>())
        return static_cast<double>(*count);
    if (const auto* const whole = value.get_ptr<const json::number_integer_t*>())
        return static_cast<double>(*whole);
    const auto* const text = value.get_ptr<const json::string_t*>();
    if (text == nullptr)
        return std::nullopt;
    if (*text == "NaN")
        return std::numeric_limits<double>::quiet_NaN();
    if (*text == "Infinity")
        return std::numeric_limits<double>::infinity();
    if (*text == "-Infinity")
        return -std::numeric_limits<double>::infinity();
    return std::nullopt;
}

/// Any value on one line, with the spaces Python writes.
/// @param depth  brackets around it; a little deeper can be read, for what is put around it
inline void append_json(std::string& out, const json& value, std::size_t depth = 8) {
    if (depth > deepest_json)
        throw mismatch_error(
            {.field = "json", .expected = "at most " + counted(deepest_json - 8, "level"), .found = "nested deeper"});
    switch (value.type()) {
    case json::value_t::null:
    case json::value_t::discarded:
        out += "null";
        return;
    case json::value_t::boolean:
        out += value.get_ref<const json::boolean_t&>() ? "true" : "false";
        return;
    case json::value_t::number_integer:
        out += std::to_string(value.get_ref<const json::number_integer_t&>());
        return;
    case json::value_t::number_unsigned:
        out += std::to_string(value.get_ref<const json::number_unsigned_t&>());
        return;
    case json::value_t::number_float:
        return append_json_number(out, value.get_ref<const json::number_float_t&>());
    case json::value_t::string:
        return append_json_text(out, value.get_ref<const json::string_t&>());
    case json::value_t::binary:
        throw mismatch_error({.field = "json", .expected = "text and numbers", .found = "binary"});
    case json::value_t::array: {
        std::string_view between;
        out += '[';
        for (const json& inner : value.get_ref<const json::array_t&>()) {
            out += std::exchange(between, ", ");
            append_json(out, inner, depth + 1);
        }
        out += ']';
        return;
    }
    case json::value_t::object: {
        std::string_view between;
        out += '{';
        for (const auto& [key, inner] : value.get_ref<const json::object_t&>()) {
            out += std::exchange(between, ", ");
            append_json_text(out, key);
            out += ": ";
            append_json(out, inner, depth + 1);
        }
        out += '}';
        return;
    }
    }
}

/// JSON text of single values, for objects whose keys are to stay in order.
[[nodiscard]] inline std::string json_text(std::string_view text) {
    std::string out;
    append_json_text(out, text);
    return out;
}
[[nodiscard]] inline std::string json_text(double number) {
    std::string out;
    append_json_number(out, number);
    return out;
}
template <std::same_as<json> Value>  // only a value that is JSON already: nothing is turned into it on the way
[[nodiscard]] std::string json_text(const Value& value) {
    std::string out;
    append_json(out, value);
    return out;
}

/// Runs what writes the JSON of `file`, and names the file in what is thrown of text that is not UTF-8 and the like.
template <class Write>
decltype(auto) in_document(const std::filesystem::path& file, Write&& write) {
    try {
        return write();
    } catch (const mismatch_error& problem) {
        if (!problem.file().empty())
            throw;
        error_parts parts = problem.parts();
        parts.file = file;
        throw mismatch_error(std::move(parts));
    }
}

/// JSON values of metadata, which is for small things. What is written can be read back with the default limits.
inline constexpr std::size_t most_metadata_values = limits{}.json_values / 2;

/// Values in `value`, itself included. Stops counting beyond `most`.
[[nodiscard]] inline std::size_t json_value_count(const json& value, std::size_t most) {
    std::vector<const json*> waiting = {&value};  // no recursion: the depth is not known to be bounded yet
    std::size_t count = 1;
    while (!waiting.empty() && count <= most) {
        const json& each = *waiting.back();
        waiting.pop_back();
        count += each.is_structured() ? each.size() : 0;
        if (count > most)
            break;
        if (const auto* const items = each.get_ptr<const json::array_t*>())
            for (const json& item : *items)
                waiting.push_back(&item);
        if (const auto* const members = each.get_ptr<const json::object_t*>())
            for (const auto& [name, member] : *members)
                waiting.push_back(&member);
    }
    return count;
}

/// @throws mismatch_error  more values than `most`
inline void check_json_values(const json& value, std::size_t most, const std::filesystem::path& file,
                              const char* field) {
    if (json_value_count(value, most) > most)
        throw mismatch_error({.file = file,
                              .field = field,
                              .expected = "at most " + counted(most, "value"),
                              .found = "more",
                              .hint = "keep large things as arrays"});
}

/// An object whose members stay in the order they are added.
class object_text {
  public:
    void add(std::string_view key, std::string_view json) {
        members_.push_back(json_text(key) + ": " + std::string(json));
    }
    /// On one line.
    [[nodiscard]] std::string str() const { return '{' + joined(", ") + '}'; }
    /// One member a line.
    [[nodiscard]] std::string lines() const { return "{ " + joined(",\n  ") + " }\n"; }

  private:
    [[nodiscard]] std::string joined(std::string_view between) const {
        std::string out;
        for (const auto& member : members_) {
            out += out.empty() ? "" : between;
            out += member;
        }
        return out;
    }

    std::vector<std::string> members_;
};

/// Reads the members of a JSON object, and names in errors the one that is wrong.
class object_reader {
  public:
    object_reader(const json& value, std::string path, const std::filesystem::path& file)
        : members_(value.get_ptr<const json::object_t*>()), path_(std::move(path)), file_(&file) {
        if (members_ == nullptr)
            refuse("", "an object", &value);
    }

    [[nodiscard]] const json::object_t& members() const noexcept { return *members_; }

    [[nodiscard]] const json* find(const std::string& key) const {
        const auto at = members_->find(key);
        return at == members_->end() ? nullptr : &at->second;
    }
    [[nodiscard]] const std::string& text(const std::string& key) const {
        return wanted<json::string_t>(key, "a string");
    }
    [[nodiscard]] std::uint64_t count(const std::string& key) const {
        return wanted<json::number_unsigned_t>(key, "a count");
    }
    [[nodiscard]] std::int64_t integer(const std::string& key) const {
        const json* const value = find(key);
        const auto* const count = value == nullptr ? nullptr : value->get_ptr<const json::number_unsigned_t*>();
        if (count != nullptr && std::in_range<std::int64_t>(*count))
            return static_cast<std::int64_t>(*count);
        return wanted<json::number_integer_t>(key, "an integer");
    }
    [[nodiscard]] const json::array_t& list(const std::string& key) const {
        return wanted<json::array_t>(key, "a list");
    }
    [[nodiscard]] object_reader object(const std::string& key) const {
        const json* const value = find(key);
        if (value == nullptr)
            refuse(key, "an object", nullptr);
        return {*value, full(key), *file_};
    }
    [[noreturn]] void refuse(const std::string& key, std::string_view expected, const json* found) const {
        throw format_error({.file = *file_,
                            .field = key.empty() ? path_ : full(key),
                            .expected = std::string(expected),
                            .found = found == nullptr ? "missing" : found->type_name()});
    }

  private:
    template <class Value>
    [[nodiscard]] const Value& wanted(const std::string& key, std::string_view expected) const {
        const json* const value = find(key);
        const auto* const exact = value == nullptr ? nullptr : value->get_ptr<const Value*>();
        if (exact == nullptr)
            refuse(key, expected, value);
        return *exact;
    }
    [[nodiscard]] std::string full(const std::string& key) const { return path_.empty() ? key : path_ + '.' + key; }

    const json::object_t* members_;
    std::string path_;
    const std::filesystem::path* file_;
};

}  // namespace detail

}  // namespace ndkeep
