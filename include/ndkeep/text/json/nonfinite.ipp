// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/text/json/nonfinite.hpp>.
#pragma once

#include <ndkeep/text/json/nonfinite.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/text/json/print.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::string_view nonfinite_text(double number) noexcept {
    // NaN first: with -ffast-math a comparison with it may give anything.
    return is_nan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
}

NDKEEP_INLINE std::optional<double> nonfinite_number(std::string_view text) noexcept {
    if (text == "NaN")
        return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity")
        return std::numeric_limits<double>::infinity();
    if (text == "-Infinity")
        return -std::numeric_limits<double>::infinity();
    return std::nullopt;
}

NDKEEP_INLINE void append_step(std::string& pointer, std::string_view step) {
    pointer += '/';
    for (const char c : step)
        if (c == '~')
            pointer += "~0";
        else if (c == '/')
            pointer += "~1";
        else
            pointer += c;
}

NDKEEP_INLINE std::optional<std::vector<std::string>> steps_of(std::string_view pointer) {
    std::vector<std::string> steps;
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        if (pointer[i] == '/') {
            steps.emplace_back();
            continue;
        }
        if (steps.empty())
            return std::nullopt;
        char c = pointer[i];
        if (c == '~') {
            if (++i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1'))
                return std::nullopt;
            c = pointer[i] == '1' ? '/' : '~';
        }
        steps.back() += c;
    }
    return steps;
}

NDKEEP_INLINE std::optional<std::size_t> index_of(std::string_view step, std::size_t size) noexcept {
    std::size_t index = 0;
    const auto [end, problem] = std::from_chars(step.data(), step.data() + step.size(), index);
    const bool is_index = problem == std::errc() && end == step.data() + step.size() && index < size;
    return is_index ? std::optional(index) : std::nullopt;
}

NDKEEP_INLINE void list_nonfinite(const json& value, const std::string& pointer, std::vector<std::string>& pointers) {
    if (const auto* const real = value.get_ptr<const json::number_float_t*>()) {
        if (!is_finite(*real))
            pointers.push_back(pointer);
    } else if (const auto* const members = value.get_ptr<const json::object_t*>()) {
        for (const auto& [name, member] : *members) {
            std::string inner = pointer;
            append_step(inner, name);
            list_nonfinite(member, inner, pointers);
        }
    } else if (const auto* const items = value.get_ptr<const json::array_t*>()) {
        for (std::size_t i = 0; i < items->size(); ++i)
            list_nonfinite((*items)[i], pointer + '/' + std::to_string(i), pointers);
    }
}

/// What a pointer leads to; nullptr if it leads nowhere.
[[nodiscard]] NDKEEP_INLINE json* value_at(json& value, std::string_view pointer) {
    const auto steps = steps_of(pointer);
    json* at = steps ? &value : nullptr;
    for (std::size_t i = 0; at != nullptr && i < steps->size(); ++i) {
        json* next = nullptr;
        if (auto* const members = at->get_ptr<json::object_t*>()) {
            const auto member = members->find((*steps)[i]);
            next = member == members->end() ? nullptr : &member->second;
        } else if (auto* const items = at->get_ptr<json::array_t*>()) {
            const auto index = index_of((*steps)[i], items->size());
            next = index ? &(*items)[*index] : nullptr;
        }
        at = next;
    }
    return at;
}

NDKEEP_INLINE void restore_nonfinite(json& value, const json& pointers, const std::filesystem::path& file,
                                     const std::string& field) {
    const auto refuse = [&](const std::string& found) {
        throw malformed(file, field, "a list of pointers to \"NaN\", \"Infinity\" or \"-Infinity\"", found);
    };
    const auto* const all = pointers.get_ptr<const json::array_t*>();
    if (all == nullptr)
        refuse(json_kind(pointers));
    for (const json& each : *all) {
        const auto* const pointer = each.get_ptr<const json::string_t*>();
        json* const at = pointer == nullptr ? nullptr : value_at(value, *pointer);
        const auto* const text = at == nullptr ? nullptr : at->get_ptr<const json::string_t*>();
        const auto number = text == nullptr ? std::nullopt : nonfinite_number(*text);
        if (!number)
            refuse(json_text(each));
        *at = *number;
    }
}

NDKEEP_INLINE void restore_nonfinite(json& document, const std::filesystem::path& file) {
    auto* const members = document.get_ptr<json::object_t*>();
    if (members == nullptr)
        return;
    const auto found = members->find(nonfinite_key);
    if (found == members->end())
        return;
    // Taken out: a pointer must not lead into the list that is read.
    const json pointers = std::move(found->second);
    members->erase(found);
    restore_nonfinite(document, pointers, file, nonfinite_key);
}

}  // namespace ndkeep::detail
