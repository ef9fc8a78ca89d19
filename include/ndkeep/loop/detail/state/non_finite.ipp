// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/state/non_finite.hpp>.
#pragma once

#include <ndkeep/loop/detail/state/non_finite.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/text/json/print.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Adds the paths of numbers in `value` that are not finite, as JSON pointers.
/// @see RFC 6901
NDKEEP_INLINE void add_non_finite(const json& value, const std::string& path, json::array_t& paths) {
    if (const auto* const real = value.get_ptr<const json::number_float_t*>()) {
        if (!std::isfinite(*real))
            paths.emplace_back(path);
    } else if (const auto* const members = value.get_ptr<const json::object_t*>()) {
        for (const auto& [name, member] : *members) {
            // RFC 6901, section 3: "~" is written "~0", and "/" is written "~1".
            std::string escaped;
            for (const char c : name)
                if (c == '~' || c == '/')
                    escaped += c == '~' ? "~0" : "~1";
                else
                    escaped += c;
            add_non_finite(member, path + '/' + escaped, paths);
        }
    } else if (const auto* const items = value.get_ptr<const json::array_t*>()) {
        for (std::size_t i = 0; i < items->size(); ++i)
            add_non_finite((*items)[i], path + '/' + std::to_string(i), paths);
    }
}

NDKEEP_INLINE json non_finite_in(const json& value) {
    json::array_t paths;
    add_non_finite(value, "", paths);
    return paths;
}

NDKEEP_INLINE void restore_non_finite(json& value, const json& paths, const std::filesystem::path& file) {
    const auto refuse = [&](const std::string& found) {
        throw malformed(file, "non_finite", "places of \"NaN\", \"Infinity\" or \"-Infinity\"", found);
    };
    const auto* const all = paths.get_ptr<const json::array_t*>();
    if (all == nullptr)
        refuse(paths.type_name());
    for (const json& each : *all) {
        const auto* const path = each.get_ptr<const json::string_t*>();
        if (path == nullptr || path->empty() || path->front() != '/')
            refuse(json_text(each));
        json* at = &value;
        for (std::size_t begin = 1; at != nullptr && begin <= path->size();) {
            const std::size_t end = std::min(path->find('/', begin), path->size());
            std::string name;
            for (std::size_t i = begin; i < end; ++i)
                if ((*path)[i] == '~' && i + 1 < end)
                    name += (*path)[++i] == '1' ? '/' : '~';
                else
                    name += (*path)[i];
            begin = end + 1;
            if (auto* const members = at->get_ptr<json::object_t*>()) {
                const auto member = members->find(name);
                at = member == members->end() ? nullptr : &member->second;
            } else if (auto* const items = at->get_ptr<json::array_t*>()) {
                std::size_t index = items->size();  // out of range unless `name` is a number
                (void)std::from_chars(name.data(), name.data() + name.size(), index);
                at = index < items->size() ? &(*items)[index] : nullptr;
            } else {
                at = nullptr;
            }
        }
        const auto number = at != nullptr && at->is_string() ? json_number(*at) : std::nullopt;
        if (!number)
            refuse(ndkeep::quoted(*path));
        *at = *number;
    }
}

}  // namespace ndkeep::detail
