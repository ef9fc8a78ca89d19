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
    Builder::discard(value);
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
        unfinished out{value()};
        scan_.end();
        return std::move(out.value);
    }

  private:
    /// A value that is discarded if an exception leaves the parser.
    struct unfinished {
        built value;
        ~unfinished() { Builder::discard(value); }
    };

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
        unfinished out{Builder::dictionary()};
        scan_.open('{');
        if (scan_.peek() != '}') {
            do {
                std::string name = scan_.string();
                scan_.need(':');
                unfinished member{value()};
                Builder::add(out.value, std::move(name), std::move(member.value));
            } while (scan_.take(','));
        }
        scan_.close('}');
        return std::move(out.value);
    }

    [[nodiscard]] built array() {
        unfinished out{Builder::list()};
        scan_.open('[');
        if (scan_.peek() != ']') {
            do {
                unfinished item{value()};
                Builder::add(out.value, std::move(item.value));
            } while (scan_.take(','));
        }
        scan_.close(']');
        return std::move(out.value);
    }

    json_scanner scan_;
};

}  // namespace detail

namespace detail {

/// The members of a JSON object. Subscripting it itself would check its kind again and convert the key, which costs
/// every source file compile time: nlohmann's operator[] is a template with many overloads.
[[nodiscard]] inline json::object_t& members_of(json& object) { return *object.get_ptr<json::object_t*>(); }

/// Frees the values of a document without allocating memory: the destructor of nlohmann::json allocates for lists and
/// objects, and if it cannot, the process ends. Recursive, so only for documents that a parser made, whose depth it
/// limits.
void discard_json(json& document) noexcept;

/// A parsed document that is freed without allocating memory.
struct json_document {
    json_document(json&& parsed) noexcept : whole(std::move(parsed)) {}  // NOLINT: implicit
    json_document(const json_document&) = delete;
    json_document& operator=(const json_document&) = delete;
    ~json_document() { discard_json(whole); }

    json whole;
};

}  // namespace detail

namespace core {

/// Parses one JSON document into nlohmann::json.
///
/// @param file  named in errors, never opened
/// @throws format_error  not JSON, more than 128 levels deep, or more values than `bound` allows
/// @throws io_error      too little memory
[[nodiscard]] json parsed_json(std::string_view text, const std::filesystem::path& file, const json_bound& bound = {});

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/json/parser.ipp>
#endif
