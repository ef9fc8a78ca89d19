// SPDX-License-Identifier: BSD-3-Clause
// Printing of JSON, with strings for numbers that are not finite, and checked access to the members of an object.
//
// nlohmann's serializer is not used, for the same reason as its parser: see <ndkeep/text/json/parser.hpp>.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Appends text as a JSON string. DEL, the C1 control characters and marks of the writing direction are escaped as
/// well, because JSON may be printed to a terminal, which would obey them.
/// @throws mismatch_error  text that is not UTF-8
void append_json_text(std::string& out, std::string_view text);

/// Appends the shortest text that reads back as the same double, and not as an integer. NaN and infinities become the
/// strings "NaN", "Infinity" and "-Infinity".
void append_json_number(std::string& out, double number);

/// The double of a number or of one of these three strings; nullopt for other values.
[[nodiscard]] std::optional<double> json_number(const json& value);

/// The kind of a value as errors name it: "null", "a boolean", "a number", "a string", "a list", "an object".
[[nodiscard]] std::string json_kind(const json& value);

/// Appends any value on one line, with the spaces that Python's json module writes.
///
/// @param depth  levels of brackets around the value. The default reserves 8 levels for the document that encloses it.
/// @throws mismatch_error  nested too deeply to be read back, binary data, or text that is not UTF-8
void append_json(std::string& out, const json& value, std::size_t depth = 8);

/// Runs `write`, which prints the JSON of `file`, and adds the file name to a mismatch_error that has none.
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

/// The largest number of JSON values in metadata, which is for small things. Half of the default limit leaves room for
/// the document around it, so that everything written can be read back with default limits.
inline constexpr std::size_t most_metadata_values = limits{}.json_values / 2;

/// Checks the number of values in `value`, itself included.
/// @throws mismatch_error  more values than `most`
void check_json_values(const json& value, std::size_t most, const std::filesystem::path& file, const char* field);

/// Typed access to the members of a JSON object. Errors name the member by its path, such as "file.size".
class object_reader {
  public:
    /// @param value, file  must outlive the reader; the file is named in errors
    /// @param path         of the object in the document; empty at the top
    /// @throws format_error  not an object
    object_reader(const json& value, std::string path, const std::filesystem::path& file);

    [[nodiscard]] const json::object_t& members() const noexcept { return *members_; }

    /// The member with this name; nullptr if absent.
    [[nodiscard]] const json* find(const std::string& key) const;

    // The following throw format_error if the member is absent or of another kind.
    [[nodiscard]] const std::string& text(const std::string& key) const;
    [[nodiscard]] std::uint64_t count(const std::string& key) const;
    [[nodiscard]] std::int64_t integer(const std::string& key) const;
    [[nodiscard]] const json::array_t& list(const std::string& key) const;
    [[nodiscard]] object_reader object(const std::string& key) const;
    /// @throws format_error  always; `found` is nullptr if the member is absent
    [[noreturn]] void refuse(const std::string& key, std::string_view expected, const json* found) const;
    [[noreturn]] void refuse(const std::string& key, std::string_view expected, std::string found) const;

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

namespace core {

/// The JSON text of one value, for objects that keep the order of their keys.
[[nodiscard]] std::string json_text(std::string_view text);
[[nodiscard]] std::string json_text(double number);
template <std::same_as<json> Value>  // no implicit conversion from other types
[[nodiscard]] std::string json_text(const Value& value) {
    std::string out;
    detail::append_json(out, value);
    return out;
}

/// The text of an object whose members keep the order in which they are added.
class object_text {
  public:
    /// Adds a member. `json` must be valid JSON text without numbers that are not finite, and the key must not repeat.
    void add(std::string_view key, std::string_view json);
    // The others take any number, and remember where those are that are not finite.
    void add_number(std::string_view key, double number);
    void add_value(std::string_view key, const json& value);
    void add_object(std::string_view key, const object_text& inner);
    void add_list(std::string_view key, const std::vector<object_text>& items);

    /// The JSON text of the list of these numbers' pointers, relative to this object; empty if all are finite.
    [[nodiscard]] std::string nonfinite() const;
    /// Adds that list as the member "nonfinite", unless it is empty. Last of all.
    void add_nonfinite();

    /// The object on one line.
    [[nodiscard]] std::string str() const { return '{' + joined(", ") + '}'; }
    /// The object with one member per line, and a newline at the end.
    [[nodiscard]] std::string lines() const { return "{ " + joined(",\n  ") + " }\n"; }

  private:
    [[nodiscard]] std::string joined(std::string_view between) const;

    std::vector<std::string> members_;
    std::vector<std::string> nonfinite_;  // pointers, relative to this object
};

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/json/print.ipp>
#endif
