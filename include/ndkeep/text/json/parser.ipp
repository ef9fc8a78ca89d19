// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/text/json/parser.hpp>.
#pragma once

#include <ndkeep/text/json/parser.hpp>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Makes values of nlohmann::json, without the conversions of its constructors: kinds and values are exactly those
/// given.
struct nlohmann_builder {
    using value = json;

    [[nodiscard]] static json null() { return {}; }
    [[nodiscard]] static json boolean(bool flag) { return make<json::boolean_t>(json::value_t::boolean, flag); }
    [[nodiscard]] static json count(std::uint64_t number) {
        return make<json::number_unsigned_t>(json::value_t::number_unsigned, number);
    }
    [[nodiscard]] static json negative(std::int64_t number) {
        return make<json::number_integer_t>(json::value_t::number_integer, number);
    }
    [[nodiscard]] static json real(double number) {
        return make<json::number_float_t>(json::value_t::number_float, number);
    }
    [[nodiscard]] static json string(std::string&& text) {
        return make<json::string_t>(json::value_t::string, std::move(text));
    }
    [[nodiscard]] static json list() { return json(json::value_t::array); }
    [[nodiscard]] static json dictionary() { return json(json::value_t::object); }
    static void add(json& list, json&& item) { list.get_ptr<json::array_t*>()->push_back(std::move(item)); }
    static void add(json& dictionary, std::string&& name, json&& member) {
        members_of(dictionary)[std::move(name)] = std::move(member);
    }

  private:
    template <class Value>
    [[nodiscard]] static json make(json::value_t kind, Value value) {
        json out(kind);
        *out.get_ptr<Value*>() = std::move(value);
        return out;
    }
};

}  // namespace detail

namespace core {

NDKEEP_INLINE json parsed_json(std::string_view text, const std::filesystem::path& file, const json_bound& bound) {
    return detail::json_parser<detail::nlohmann_builder>(text, file, bound).read();
}

}  // namespace core

}  // namespace ndkeep
