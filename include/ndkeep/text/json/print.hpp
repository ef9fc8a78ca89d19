// SPDX-License-Identifier: BSD-3-Clause
// JSON for what ndkeep keeps in it: values written as text, with numbers that are not finite as strings, and objects
// read member by member.
//
// nlohmann's own serializer is left to those who use it, for the same reason as its parser:
// <ndkeep/text/json/parser.hpp>.
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

/// Control characters are escaped, DEL and C1 too: JSON may be printed to a terminal.
void append_json_text(std::string& out, std::string_view text);

/// The shortest text that reads back as the same double, and as a double.
void append_json_number(std::string& out, double number);

/// The double behind a number or one of the three strings.
[[nodiscard]] std::optional<double> json_number(const json& value);

/// Any value on one line, with the spaces Python writes.
/// @param depth  brackets around it; a little deeper can be read, for what is put around it
void append_json(std::string& out, const json& value, std::size_t depth = 8);

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

/// @throws mismatch_error  more values than `most`
void check_json_values(const json& value, std::size_t most, const std::filesystem::path& file, const char* field);

/// Reads the members of a JSON object, and names in errors the one that is wrong.
class object_reader {
  public:
    object_reader(const json& value, std::string path, const std::filesystem::path& file);

    [[nodiscard]] const json::object_t& members() const noexcept { return *members_; }

    [[nodiscard]] const json* find(const std::string& key) const;
    [[nodiscard]] const std::string& text(const std::string& key) const;
    [[nodiscard]] std::uint64_t count(const std::string& key) const;
    [[nodiscard]] std::int64_t integer(const std::string& key) const;
    [[nodiscard]] const json::array_t& list(const std::string& key) const;
    [[nodiscard]] object_reader object(const std::string& key) const;
    [[noreturn]] void refuse(const std::string& key, std::string_view expected, const json* found) const;

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

/// JSON text of single values, for objects whose keys are to stay in order.
[[nodiscard]] std::string json_text(std::string_view text);
[[nodiscard]] std::string json_text(double number);
template <std::same_as<json> Value>  // only a value that is JSON already: nothing is turned into it on the way
[[nodiscard]] std::string json_text(const Value& value) {
    std::string out;
    detail::append_json(out, value);
    return out;
}

/// An object whose members stay in the order they are added.
class object_text {
  public:
    void add(std::string_view key, std::string_view json);
    /// On one line.
    [[nodiscard]] std::string str() const { return '{' + joined(", ") + '}'; }
    /// One member a line.
    [[nodiscard]] std::string lines() const { return "{ " + joined(",\n  ") + " }\n"; }

  private:
    [[nodiscard]] std::string joined(std::string_view between) const;

    std::vector<std::string> members_;
};

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/json/print.ipp>
#endif
