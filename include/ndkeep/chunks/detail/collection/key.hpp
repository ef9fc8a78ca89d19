// SPDX-License-Identifier: BSD-3-Clause
// Keys of a collection as texts: what NDKEEP_KEY declares, and the conversion of a struct to names of folders and back.
#pragma once

#include <ndkeep/version.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

template <class Key>
struct key_tag {};
// Unqualified lookup ends at this declaration, so that an overload is found through the namespace of its struct only.
void ndkeep_key_of() = delete;

template <class Key>
concept has_key = requires(const Key& key) {
    ndkeep_key_of(key_tag<Key>{}, key);
};

/// The types of a field of a key: std::string, and integers other than characters and bool.
template <class T>
concept key_field = std::same_as<T, std::string> ||
    (std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
     !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>);

/// One field of a struct, with the name that NDKEEP_KEY gives it.
template <class T>
struct key_member {
    const char* name;
    T& value;
};

template <class T>
[[nodiscard]] key_member<T> declared_member(const char* name, T& value) {
    static_assert(key_field<std::remove_const_t<T>>, "a field named in NDKEEP_KEY is neither a string nor an integer");
    return {name, value};
}

/// The name of a struct, and its fields in order.
template <class... Members>
struct declared_key {
    const char* type;
    std::tuple<Members...> members;
};

template <class... Members>
[[nodiscard]] declared_key<Members...> declared_members(const char* type, const Members&... members) {
    return {type, {members...}};
}

/// A key as the names of its folders, or the first of them.
using key_texts = std::vector<std::string>;

/// The type of one field without its C++ type.
struct key_field_form {
    std::string name;
    bool is_number = false;
    std::int64_t least = 0;  // of a number
    std::uint64_t most = 0;
};

/// A struct of NDKEEP_KEY without its C++ type.
struct key_form {
    std::string type;
    std::vector<key_field_form> fields;
};

/// Whether keys have this name as this field: any legal name for a string, canonical decimal in range for a number.
[[nodiscard]] bool is_key_text(const key_field_form& field, std::string_view text);

/// Checks texts of the first fields of a key.
/// @param called  the display path of the collection, for errors
/// @throws mismatch_error  one of them cannot be the name of a folder
void check_key_texts(const key_form& form, const key_texts& texts, const std::filesystem::path& called);

/// The order of one field: numbers by value, strings by bytes.
[[nodiscard]] bool key_text_less(const key_field_form& field, std::string_view a, std::string_view b);

template <class T>
void read_key_text(const std::string& text, T& value) {
    if constexpr (std::integral<T>)
        std::from_chars(text.data(), text.data() + text.size(), value);
    else
        value = text;
}

template <class T>
[[nodiscard]] std::string key_text(const T& value) {
    if constexpr (std::integral<T>)
        return std::to_string(value);
    else
        return value;
}

/// Calls `use` with each `key_member` of a struct, in order.
template <class Key, class Use>
void for_each_member(Key& key, const Use& use) {
    std::apply([&](const auto&... member) { (use(member), ...); },
               ndkeep_key_of(key_tag<std::remove_const_t<Key>>{}, key).members);
}

template <class Key>
[[nodiscard]] key_form key_form_of() {
    const Key none = {};
    key_form form{.type = ndkeep_key_of(key_tag<Key>{}, none).type, .fields = {}};
    for_each_member(none, [&]<class T>(const key_member<T>& member) {
        key_field_form field{.name = member.name};
        using value = std::remove_const_t<T>;
        if constexpr (std::integral<value>) {
            field.is_number = true;
            field.least = static_cast<std::int64_t>(std::numeric_limits<value>::min());
            field.most = static_cast<std::uint64_t>(std::numeric_limits<value>::max());
        }
        form.fields.push_back(field);
    });
    return form;
}

template <class Key>
[[nodiscard]] key_texts key_texts_of(const Key& key) {
    key_texts texts;
    for_each_member(key, [&](const auto& member) { texts.push_back(key_text(member.value)); });
    return texts;
}

/// The first fields of a prefix: up to the last one that has another value than in a `Key{}`.
template <class Key>
[[nodiscard]] key_texts given_texts_of(const Key& prefix) {
    key_texts texts = key_texts_of(prefix);
    const key_texts none = key_texts_of(Key{});
    while (!texts.empty() && texts.back() == none[texts.size() - 1])
        texts.pop_back();
    return texts;
}

/// @param texts  of all fields, checked
template <class Key>
[[nodiscard]] Key key_from(const key_texts& texts) {
    Key key = {};
    std::size_t i = 0;
    for_each_member(key, [&](const auto& member) { read_key_text(texts[i++], member.value); });
    return key;
}

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/collection/key.ipp>
#endif
