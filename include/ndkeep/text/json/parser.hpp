// SPDX-License-Identifier: BSD-3-Clause
// A JSON parser with limits on depth and number of values. It builds nlohmann::json or values of another type.
//
// nlohmann's parser is not used, because it is a template that costs each including file 0.2 s to compile. This one
// also bounds the depth and the number of values.
#pragma once

#include <ndkeep/text/json/scanner.hpp>
#include <ndkeep/version.hpp>

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// The type of metadata.
using json = nlohmann::json;

namespace detail {

/// A type whose static functions make the values for `json_parser`.
template <class Builder>
concept json_builder = requires(typename Builder::value value, std::string text) {
    { Builder::null() } -> std::same_as<typename Builder::value>;
    { Builder::boolean(true) } -> std::same_as<typename Builder::value>;
    { Builder::count(std::uint64_t{}) } -> std::same_as<typename Builder::value>;
    { Builder::negative(std::int64_t{}) } -> std::same_as<typename Builder::value>;
    { Builder::real(double{}) } -> std::same_as<typename Builder::value>;
    { Builder::string(std::move(text)) } -> std::same_as<typename Builder::value>;
    { Builder::list() } -> std::same_as<typename Builder::value>;
    { Builder::dictionary() } -> std::same_as<typename Builder::value>;
    Builder::add(value, std::move(value));
    Builder::add(value, std::move(text), std::move(value));
};

/// Parses one JSON value, which only blanks may surround. If a name is repeated in an object, the last member is kept.
///
/// Integers are exact if 64 bits can hold them. A number beyond the largest double is rejected.
/// @see RFC 8259
template <json_builder Builder>
class json_parser {
    using built = typename Builder::value;

  public:
    /// @param text, file  must outlive the parser; the file is named in errors
    json_parser(std::string_view text, const std::filesystem::path& file, const json_bound& bound = {})
        : scan_(text, file, bound) {}

    [[nodiscard]] built read() {
        scan_.begin();
        built out = value();
        scan_.end();
        return out;
    }

  private:
    [[nodiscard]] built value() {
        // Before the value is built: brackets and commas alone can make many values from a short text.
        scan_.count_value();
        switch (scan_.peek()) {
        case '{':
            return object();
        case '[':
            return array();
        case '"':
            return Builder::string(scan_.string());
        case 't':
            scan_.need_word("true");
            return Builder::boolean(true);
        case 'f':
            scan_.need_word("false");
            return Builder::boolean(false);
        case 'n':
            scan_.need_word("null");
            return Builder::null();
        default:
            return scalar(scan_.number());
        }
    }

    [[nodiscard]] static built scalar(const number_token& number) {
        if (number.is == number_token::real)
            return Builder::real(number.value);
        if (number.is == number_token::count)
            return Builder::count(number.magnitude);
        // Negated as an unsigned number, because the magnitude of the smallest std::int64_t does not fit one.
        return Builder::negative(static_cast<std::int64_t>(0 - number.magnitude));
    }

    [[nodiscard]] built object() {
        built out = Builder::dictionary();
        scan_.open('{');
        if (scan_.peek() != '}') {
            do {
                std::string name = scan_.string();
                scan_.need(':');
                Builder::add(out, std::move(name), value());
            } while (scan_.take(','));
        }
        scan_.close('}');
        return out;
    }

    [[nodiscard]] built array() {
        built out = Builder::list();
        scan_.open('[');
        if (scan_.peek() != ']') {
            do {
                Builder::add(out, value());
            } while (scan_.take(','));
        }
        scan_.close(']');
        return out;
    }

    json_scanner scan_;
};

}  // namespace detail

namespace detail {

/// The members of a JSON object. Subscripting it itself would check its kind again and convert the key, which costs
/// every source file compile time: nlohmann's operator[] is a template with many overloads.
[[nodiscard]] inline json::object_t& members_of(json& object) { return *object.get_ptr<json::object_t*>(); }

}  // namespace detail

namespace core {

/// Parses one JSON document into nlohmann::json.
///
/// @param file  named in errors, never opened
/// @throws format_error  not JSON, more than 128 levels deep, or more values than `bound` allows
[[nodiscard]] json parsed_json(std::string_view text, const std::filesystem::path& file, const json_bound& bound = {});

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/json/parser.ipp>
#endif
