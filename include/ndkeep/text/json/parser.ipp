// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/text/json/parser.hpp>.
#pragma once

#include <ndkeep/text/json/parser.hpp>

#include <ndkeep/error.hpp>

#include <new>
#include <system_error>

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
        // First the key, which allocates: in one expression, the member would be moved before, and lost if this throws.
        json& place = members_of(dictionary)[std::move(name)];
        place = std::move(member);
    }
    static void discard(json& unfinished) noexcept { discard_json(unfinished); }

  private:
    template <class Value>
    [[nodiscard]] static json make(json::value_t kind, Value value) {
        json out(kind);
        *out.get_ptr<Value*>() = std::move(value);
        return out;
    }
};

NDKEEP_INLINE void discard_json(json& document) noexcept {
    // The destructor of an empty list or object allocates nothing.
    if (auto* const list = document.get_ptr<json::array_t*>()) {
        for (json& item : *list)
            discard_json(item);
        list->clear();
    } else if (auto* const object = document.get_ptr<json::object_t*>()) {
        for (auto& [name, member] : *object)
            discard_json(member);
        object->clear();
    }
}

}  // namespace detail

namespace core {

NDKEEP_INLINE json parsed_json(std::string_view text, const std::filesystem::path& file, const json_bound& bound) {
    try {
        return detail::json_parser<detail::nlohmann_builder>(text, file, bound).read();
    } catch (const std::bad_alloc&) {
        throw io_error(file, "cannot allocate memory for the values of " + counted(text.size(), "byte") + " of JSON",
                       std::make_error_code(std::errc::not_enough_memory));
    }
}

}  // namespace core

}  // namespace ndkeep
