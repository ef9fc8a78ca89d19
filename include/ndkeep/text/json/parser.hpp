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
class json_parser : json_scanner {
    using built = typename Builder::value;

  public:
    using json_scanner::json_scanner;

    [[nodiscard]] built read() {
        begin();
        built out = value();
        end();
        return out;
    }

  private:
    [[nodiscard]] built value() {
        // Before the value is built: brackets and commas alone can make many values from a short text.
        count_value();
        switch (peek()) {
        case '{':
            return object();
        case '[':
            return array();
        case '"':
            return Builder::string(string());
        case 't':
            need_word("true");
            return Builder::boolean(true);
        case 'f':
            need_word("false");
            return Builder::boolean(false);
        case 'n':
            need_word("null");
            return Builder::null();
        default:
            return scalar(number());
        }
    }

    [[nodiscard]] static built scalar(const scanned_number& number) {
        if (number.is == scanned_number::real)
            return Builder::real(number.value);
        if (number.is == scanned_number::count)
            return Builder::count(number.magnitude);
        // Negated as an unsigned number, because the magnitude of the smallest std::int64_t does not fit one.
        return Builder::negative(static_cast<std::int64_t>(0 - number.magnitude));
    }

    [[nodiscard]] built object() {
        built out = Builder::dictionary();
        open('{');
        if (peek() != '}') {
            do {
                std::string name = string();
                need(':');
                Builder::add(out, std::move(name), value());
            } while (take(','));
        }
        close('}');
        return out;
    }

    [[nodiscard]] built array() {
        built out = Builder::list();
        open('[');
        if (peek() != ']') {
            do {
                Builder::add(out, value());
            } while (take(','));
        }
        close(']');
        return out;
    }
};

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
