// SPDX-License-Identifier: BSD-3-Clause
// JSON text into values of any make, nlohmann's among them, bounded.
//
// nlohmann's own parser is left to those who use it: a template over every way to read and to build, it would cost each
// file that includes this one a fifth of a second.
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

/// What `json_parser` makes values with.
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

/// Reads one JSON value with nothing but blanks around it. Of members with the same name the last one stays.
///
/// Integers stay exact as far as 64 bits hold them; a number beyond the largest double is refused.
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

/// @throws format_error  not JSON, nested too deeply, or with more values than `bound` allows
[[nodiscard]] json parsed_json(std::string_view text, const std::filesystem::path& file, const json_bound& bound = {});

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/json/parser.ipp>
#endif
