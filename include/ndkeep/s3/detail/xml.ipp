// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/detail/xml.hpp>.
#pragma once

#include <ndkeep/s3/detail/xml.hpp>

#include <ndkeep/text/unicode.hpp>

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::vector<std::string_view> xml_elements(std::string_view document, std::string_view name) {
    const std::string open = '<' + std::string(name) + '>', close = "</" + std::string(name) + '>';
    std::vector<std::string_view> found;
    for (std::size_t at = 0; (at = document.find(open, at)) != std::string_view::npos;) {
        const std::size_t begin = at + open.size(), end = document.find(close, begin);
        if (end == std::string_view::npos)
            break;
        found.push_back(document.substr(begin, end - begin));
        at = end + close.size();
    }
    return found;
}

NDKEEP_INLINE std::string_view xml_element(std::string_view document, std::string_view name) {
    const auto all = xml_elements(document, name);
    return all.empty() ? std::string_view() : all.front();
}

NDKEEP_INLINE std::string xml_text(std::string_view escaped) {
    static constexpr std::array<std::pair<std::string_view, char>, 5> names = {
        {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
    constexpr std::size_t longest_entity = 12;  // "&#x0010ffff;"
    std::string out;
    for (std::size_t i = 0; i < escaped.size(); ++i) {
        const std::size_t end =
            escaped[i] == '&' ? escaped.substr(0, i + longest_entity).find(';', i) : std::string_view::npos;
        if (end == std::string_view::npos) {
            out += escaped[i];
            continue;
        }
        const auto name = escaped.substr(i + 1, end - i - 1);
        const std::size_t before = out.size();
        for (const auto& [known, character] : names)
            if (name == known)
                out += character;
        if (name.starts_with('#')) {
            const bool is_hex = name.starts_with("#x");
            std::uint32_t point = 0;
            const char* const first = name.data() + (is_hex ? 2 : 1);
            const auto [last, problem] = std::from_chars(first, name.data() + name.size(), point, is_hex ? 16 : 10);
            if (problem == std::errc() && last == name.data() + name.size() && point < 0x110000)
                append_utf8(out, point);
        }
        if (out.size() == before)
            out += '&';
        else
            i = end;
    }
    return out;
}

}  // namespace ndkeep::detail
