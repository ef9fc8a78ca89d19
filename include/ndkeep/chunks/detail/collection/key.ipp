// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/collection/key.hpp>.
#pragma once

#include <ndkeep/chunks/detail/collection/key.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/text/ascii.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Why a text cannot be the name of a folder; nullptr if it can.
struct name_rule {
    const char* expected = nullptr;
    std::string found = {};
};
[[nodiscard]] NDKEEP_INLINE name_rule broken_name_rule(std::string_view text) {
    constexpr std::size_t longest = 255;  // bytes: NAME_MAX of the usual file systems
    if (text.empty())
        return {"a text that is not empty", "empty"};
    if (text.size() > longest)
        return {"at most 255 bytes", std::to_string(text.size()) + " bytes long"};
    for (std::size_t at = 0; at < text.size();) {
        const auto [character, length] = core::decode_utf8(text, at);
        if (length == 0 || is_surrogate(character))
            return {"UTF-8", ndkeep::quoted(text)};
        if (character < 0x20 || (character >= 0x7f && character < 0xa0))
            return {"no control character", ndkeep::quoted(text)};
        // A dot would allow "..", and the hidden names of removed arrays; the backslash is a separator on Windows.
        if (character == '/' || character == '\\' || character == '.')
            return {"no slash, backslash or dot", ndkeep::quoted(text)};
        at += length;
    }
    if (text.back() == ' ')
        return {"no blank at the end", ndkeep::quoted(text)};  // file systems of Windows drop it
    // Such a key would make the folder above it look like a chunked array.
    if (std::find(folder_names.begin(), folder_names.end(), text) != folder_names.end())
        return {"a name that chunked arrays do not use", ndkeep::quoted(text)};
    return {};
}

NDKEEP_INLINE bool is_key_text(const key_field_form& field, std::string_view text) {
    if (!field.is_number)
        return broken_name_rule(text).expected == nullptr;
    const auto number_in = [&](auto least, auto most) {
        auto number = least;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
        // Canonical: "007", "-0" and "+7" would be further names of one key.
        return problem == std::errc() && end == text.data() + text.size() && number >= least && number <= most &&
               std::to_string(number) == text;
    };
    return text.starts_with('-') ? number_in(field.least, std::numeric_limits<std::int64_t>::max())
                                 : number_in(std::uint64_t{0}, field.most);
}

NDKEEP_INLINE void check_key_texts(const key_form& form, const key_texts& texts, const std::filesystem::path& called) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto& field = form.fields[i];
        if (field.is_number)
            continue;  // every number has a legal text
        if (auto rule = broken_name_rule(texts[i]); rule.expected != nullptr)
            throw mismatched(called, "field '" + field.name + "' of " + form.type, rule.expected,
                             std::move(rule.found));
    }
}

NDKEEP_INLINE bool key_text_less(const key_field_form& field, std::string_view a, std::string_view b) {
    if (!field.is_number)
        return a < b;
    const bool a_is_negative = a.starts_with('-'), b_is_negative = b.starts_with('-');
    if (a_is_negative != b_is_negative)
        return a_is_negative;
    if (a_is_negative)
        std::swap(a, b);
    // Without leading zeros, the longer number is the larger one.
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace detail

}  // namespace ndkeep
