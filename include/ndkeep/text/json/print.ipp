// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/text/json/print.hpp>.
#pragma once

#include <ndkeep/text/json/print.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/bytes/float_environment.hpp>
#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/json/nonfinite.hpp>
#include <ndkeep/text/json/scanner.hpp>
#include <ndkeep/text/unicode.hpp>

#include <array>
#include <charconv>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE std::string json_kind(const json& value) {
    switch (value.type()) {
    case json::value_t::null:
        return "null";
    case json::value_t::object:
        return "an object";
    case json::value_t::array:
        return "a list";
    case json::value_t::string:
        return "a string";
    case json::value_t::boolean:
        return "a boolean";
    case json::value_t::binary:
    case json::value_t::discarded:
        return "binary data";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float:
        break;
    }
    return "a number";
}

/// Whether a terminal would obey a character, or print the text around it in another order: C0, DEL and C1, and the
/// characters of Unicode's property Bidi_Control.
[[nodiscard]] NDKEEP_INLINE bool is_obeyed(char32_t character) {
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x61c || character == 0x200e ||
           character == 0x200f || (character >= 0x202a && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

NDKEEP_INLINE void append_json_text(std::string& out, std::string_view text) {
    if (!is_utf8(text))
        throw mismatch_error({.field = "text", .expected = "UTF-8", .found = ndkeep::quoted(text)});
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto [character, length] = core::decode_utf8(text, at);
        if (character == '"' || character == '\\') {
            out += '\\';
            out += text[at];
        } else if (character == '\n') {
            out += "\\n";
        } else if (is_obeyed(character)) {
            out += "\\u";
            append_hex(out, character, 4);
        } else {
            out += text.substr(at, length);
        }
        at += length;
    }
    out += '"';
}

NDKEEP_INLINE void append_json_number(std::string& out, double number) {
    if (!is_finite(number)) {
        out += '"';
        out += nonfinite_text(number);
        out += '"';
        return;
    }
    const default_arithmetic as_read;
    // The shortest form of a double has at most 24 characters.
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
    out += text;
    // std::to_chars prints 1.0 as "1", which would read back as an integer.
    if (text.find_first_of(".e") == std::string_view::npos)
        out += ".0";
}

NDKEEP_INLINE std::optional<double> json_number(const json& value) {
    if (const auto* const real = value.get_ptr<const json::number_float_t*>())
        return *real;
    if (const auto* const count = value.get_ptr<const json::number_unsigned_t*>())
        return static_cast<double>(*count);
    if (const auto* const whole = value.get_ptr<const json::number_integer_t*>())
        return static_cast<double>(*whole);
    const auto* const text = value.get_ptr<const json::string_t*>();
    return text == nullptr ? std::nullopt : nonfinite_number(*text);
}

NDKEEP_INLINE void append_json(std::string& out, const json& value, std::size_t depth) {
    // The parser rejects deeper documents, so none must be written.
    if (depth > deepest_json)
        throw mismatch_error({.field = "JSON value",
                              .expected = "at most " + counted(deepest_json - 8, "level"),
                              .found = "nested deeper"});
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
    // JSON has no binary kind; nlohmann's value has, for other formats.
    case json::value_t::binary:
        throw mismatch_error({.field = "JSON value", .expected = "text and numbers", .found = "binary data"});
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

/// The number of values in `value`, itself included. Stops counting beyond `most`.
[[nodiscard]] NDKEEP_INLINE std::size_t json_value_count(const json& value, std::size_t most) {
    std::vector<const json*> waiting = {&value};  // no recursion: nothing has limited the depth yet
    std::size_t count = 1;
    while (!waiting.empty() && count <= most) {
        const json& each = *waiting.back();
        waiting.pop_back();
        // Counted before the items are queued, so that the queue does not outgrow the limit.
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

NDKEEP_INLINE void check_json_values(const json& value, std::size_t most, const std::filesystem::path& file,
                                     const char* field) {
    if (json_value_count(value, most) > most)
        throw mismatch_error({.file = file,
                              .field = field,
                              .expected = "at most " + counted(most, "value"),
                              .found = "an object with more",
                              .hint = "store large data as arrays"});
}

NDKEEP_INLINE object_reader::object_reader(const json& value, std::string path, const std::filesystem::path& file)
    : members_(value.get_ptr<const json::object_t*>()), path_(std::move(path)), file_(&file) {
    if (members_ == nullptr)
        refuse("", "an object", &value);
}

NDKEEP_INLINE const json* object_reader::find(const std::string& key) const {
    const auto at = members_->find(key);
    return at == members_->end() ? nullptr : &at->second;
}

NDKEEP_INLINE const std::string& object_reader::text(const std::string& key) const {
    return wanted<json::string_t>(key, "a string");
}

NDKEEP_INLINE std::uint64_t object_reader::count(const std::string& key) const {
    return wanted<json::number_unsigned_t>(key, "a count");
}

NDKEEP_INLINE std::int64_t object_reader::integer(const std::string& key) const {
    const json* const value = find(key);
    const auto* const count = value == nullptr ? nullptr : value->get_ptr<const json::number_unsigned_t*>();
    // The parser gives every integer without a sign the unsigned type.
    if (count != nullptr && std::in_range<std::int64_t>(*count))
        return static_cast<std::int64_t>(*count);
    return wanted<json::number_integer_t>(key, "an integer");
}

NDKEEP_INLINE const json::array_t& object_reader::list(const std::string& key) const {
    return wanted<json::array_t>(key, "a list");
}

NDKEEP_INLINE object_reader object_reader::object(const std::string& key) const {
    const json* const value = find(key);
    if (value == nullptr)
        refuse(key, "an object", nullptr);
    return {*value, full(key), *file_};
}

NDKEEP_INLINE void object_reader::refuse(const std::string& key, std::string_view expected, const json* found) const {
    refuse(key, expected, found == nullptr ? "missing" : json_kind(*found));
}

NDKEEP_INLINE void object_reader::refuse(const std::string& key, std::string_view expected, std::string found) const {
    throw malformed(*file_, key.empty() ? path_ : full(key), std::string(expected), std::move(found));
}

}  // namespace detail

namespace core {

NDKEEP_INLINE std::string json_text(std::string_view text) {
    std::string out;
    detail::append_json_text(out, text);
    return out;
}

NDKEEP_INLINE std::string json_text(double number) {
    std::string out;
    detail::append_json_number(out, number);
    return out;
}

NDKEEP_INLINE void object_text::add(std::string_view key, std::string_view json) {
    members_.push_back(json_text(key) + ": " + std::string(json));
}

NDKEEP_INLINE void object_text::add_number(std::string_view key, double number) {
    add(key, json_text(number));
    if (detail::is_finite(number))
        return;
    nonfinite_.emplace_back();
    detail::append_step(nonfinite_.back(), key);
}

NDKEEP_INLINE void object_text::add_value(std::string_view key, const json& value) {
    add(key, json_text(value));
    std::string pointer;
    detail::append_step(pointer, key);
    detail::list_nonfinite(value, pointer, nonfinite_);
}

NDKEEP_INLINE void object_text::add_object(std::string_view key, const object_text& inner) {
    add(key, inner.str());
    std::string pointer;
    detail::append_step(pointer, key);
    for (const auto& each : inner.nonfinite_)
        nonfinite_.push_back(pointer + each);
}

NDKEEP_INLINE void object_text::add_list(std::string_view key, const std::vector<object_text>& items) {
    std::string text = "[";
    std::string pointer;
    detail::append_step(pointer, key);
    for (std::size_t i = 0; i < items.size(); ++i) {
        text += (i == 0 ? "" : ", ") + items[i].str();
        for (const auto& each : items[i].nonfinite_)
            nonfinite_.push_back(pointer + '/' + std::to_string(i) + each);
    }
    add(key, text + ']');
}

NDKEEP_INLINE std::string object_text::nonfinite() const {
    if (nonfinite_.empty())
        return {};
    std::string out;
    for (const auto& pointer : nonfinite_)
        out += (out.empty() ? "[" : ", ") + json_text(pointer);
    return out + ']';
}

NDKEEP_INLINE void object_text::add_nonfinite() {
    if (!nonfinite_.empty())
        add(detail::nonfinite_key, nonfinite());
}

NDKEEP_INLINE std::string object_text::joined(std::string_view between) const {
    std::string out;
    for (const auto& member : members_) {
        out += out.empty() ? "" : between;
        out += member;
    }
    return out;
}

}  // namespace core

}  // namespace ndkeep
