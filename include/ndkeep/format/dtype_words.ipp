// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/dtype_words.hpp>.
#pragma once

#include <ndkeep/format/dtype_words.hpp>

#include <ndkeep/text/python/scanner.hpp>

#include <algorithm>
#include <cstddef>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The words for one type, between blanks.
struct alias_row {
    char kind;
    std::uint8_t size;
    std::string_view words;
};

// numpy.sctypeDict and the type characters, of NumPy 1.24 on 64-bit Linux and macOS.
inline constexpr std::array<alias_row, 22> alias_rows = {{
    {'b', 1, " ? bool bool_ bool8 "},
    {'i', 1, " b byte int8 "},
    {'i', 2, " h short int16 "},
    {'i', 4, " i intc int32 "},
    {'i', 8, " l q p int int_ int0 int64 intp long longlong "},
    {'u', 1, " B ubyte uint8 "},
    {'u', 2, " H ushort uint16 "},
    {'u', 4, " I uintc uint32 "},
    {'u', 8, " L Q P uint uint0 uint64 uintp ulong ulonglong "},
    {'f', 2, " e half float16 "},
    {'f', 4, " f single float32 "},
    {'f', 8, " d double float float_ float64 "},
    {'f', 16, " g longdouble longfloat float128 "},
    {'c', 8, " F csingle singlecomplex complex64 "},
    {'c', 16, " D cdouble cfloat complex complex_ complex128 "},
    {'c', 32, " G clongdouble clongfloat longcomplex complex256 "},
    {'S', 0, " S a bytes bytes_ bytes0 string_ "},
    {'S', 1, " c "},
    {'U', 0, " U str str_ str0 unicode unicode_ "},
    {'V', 0, " V void void0 "},
    {'O', 8, " O object object_ object0 "},
    {'T', 16, " T StringDType StringDType() "},
}};

/// A decimal number as C's strtol reads it, blanks and sign before it; nothing without digits. `at` moves behind it.
[[nodiscard]] NDKEEP_INLINE std::optional<std::int64_t> decimal(std::string_view text, std::size_t& at) {
    std::size_t i = std::min(text.find_first_not_of(" \t\n\v\f\r", at), text.size());
    const bool negative = i < text.size() && text[i] == '-';
    if (i < text.size() && (text[i] == '-' || text[i] == '+'))
        ++i;
    if (i == text.size() || !is_digit(text[i]))
        return std::nullopt;
    std::int64_t value = 0;
    constexpr std::int64_t enough = std::numeric_limits<std::int64_t>::max() / 16;
    for (; i < text.size() && is_digit(text[i]); ++i)
        value = std::min(value * 10 + (text[i] - '0'), enough);
    at = i;
    return negative ? -value : value;
}

// The units, and those that a divisor is tried with, in NumPy's order.
inline constexpr std::array<time_unit, 13> time_units = {{
    {"Y", {12, 52, 365}, {"M", "W", "D"}},
    {"M", {4, 30, 720}, {"W", "D", "h"}},
    {"W", {7, 168, 10080}, {"D", "h", "m"}},
    {"D", {24, 1440, 86400}, {"h", "m", "s"}},
    {"h", {60, 3600}, {"m", "s"}},
    {"m", {60, 60000}, {"s", "ms"}},
    {"s", {1000, 1000000}, {"ms", "us"}},
    {"ms", {1000, 1000000}, {"us", "ns"}},
    {"us", {1000, 1000000}, {"ns", "ps"}},
    {"ns", {1000, 1000000}, {"ps", "fs"}},
    {"ps", {1000, 1000000}, {"fs", "as"}},
    {"fs", {1000}, {"as"}},
    {"as", {}, {}},
}};

NDKEEP_INLINE const time_unit* find_unit(std::string_view name) {
    const auto found =
        std::find_if(time_units.begin(), time_units.end(), [&](const time_unit& unit) { return unit.name == name; });
    return found == time_units.end() ? nullptr : &*found;
}

/// What stands in the brackets of a date: "ns", "25s", "D/12", "generic"; false if NumPy has no such unit.
[[nodiscard]] NDKEEP_INLINE bool read_unit(std::string_view text, plain_type& type) {
    std::size_t at = 0;
    type.multiple = decimal(text, at).value_or(1);
    const std::size_t slash = std::min(text.find('/', at), text.size());
    auto name = text.substr(at, slash - at);
    std::int64_t divisor = 1;
    if (slash < text.size()) {
        at = slash + 1;
        divisor = decimal(text, at).value_or(0);
        if (at != text.size())
            return false;
    }
    if (name == "\u03bcs")
        name = "us";
    if (type.multiple < 0 || type.multiple > most_units || divisor < 1 || divisor > most_units)
        return false;
    if (name == "generic") {
        type.multiple = 1;
        return divisor == 1;
    }
    const time_unit* unit = find_unit(name);
    if (unit == nullptr)
        return false;
    type.unit = name;
    if (divisor == 1)
        return true;
    for (std::size_t i = 0; i < unit->parts.size(); ++i) {
        if (unit->parts[i] == 0 || unit->parts[i] % divisor != 0)
            continue;
        type.unit = unit->finer[i];
        type.multiple *= unit->parts[i] / divisor;
        return type.multiple <= most_units;
    }
    return false;
}

NDKEEP_INLINE std::optional<plain_type> read_plain_type(std::string_view text) {
    plain_type out;
    auto rest = text;
    const bool marked = !text.empty() && std::string_view("<>=|").find(text[0]) != std::string_view::npos;
    if (marked) {
        out.order = text[0] == '<' ? byte_order::little : text[0] == '>' ? byte_order::big : native_order;
        rest.remove_prefix(1);
    }
    for (const std::string_view name : {"M8", "m8", "datetime64", "timedelta64"}) {
        if (!rest.starts_with(name))
            continue;
        out.kind = name == "M8" || name == "datetime64" ? 'M' : 'm';
        out.size = 8;
        const auto unit = rest.substr(name.size());
        if (unit.empty())
            return out;
        const bool bracketed = unit.size() > 2 && unit.front() == '[' && unit.find(']') == unit.size() - 1;
        if (bracketed && read_unit(unit.substr(1, unit.size() - 2), out))
            return out;
        return std::nullopt;
    }
    if (rest == "M" || rest == "m") {
        out.kind = rest[0];
        out.size = 8;
        return out;
    }
    // Only the one-letter words take a byte order.
    if (!rest.empty() && rest.find(' ') == std::string_view::npos && (!marked || rest.size() == 1)) {
        const std::string word = ' ' + std::string(rest) + ' ';
        for (const alias_row& row : alias_rows) {
            if (row.words.find(word) == std::string_view::npos)
                continue;
            out.kind = row.kind;
            out.size = row.size;
            return out;
        }
    }
    std::size_t at = 1;
    const auto size = rest.size() < 2 ? std::nullopt : decimal(rest, at);
    if (!size || at != rest.size() || *size < 0)
        return std::nullopt;
    out.kind = rest[0] == 'a' ? 'S' : rest[0];
    out.size = static_cast<std::uint64_t>(*size) * (out.kind == 'U' ? 4 : 1);
    if (out.kind == 'O' ? out.size != 4 && out.size != 8 : !has_size(out.kind, out.size))
        return std::nullopt;
    return out;
}

NDKEEP_INLINE bool is_comma_string(std::string_view text) {
    const auto rest = text.substr(!text.empty() && std::string_view("<>=|").find(text[0]) != std::string_view::npos);
    if (rest.starts_with("()") || (!rest.empty() && is_digit(rest[0])))
        return true;
    int brackets = 0;
    for (const char c : text) {
        brackets += c == '[' ? 1 : c == ']' ? -1 : 0;
        if (c == ',' && brackets == 0)
            return true;
    }
    return false;
}

NDKEEP_INLINE std::optional<comma_item> next_comma_item(std::string_view& text) {
    const auto take_while = [&text](auto&& wanted) {
        const auto end = std::find_if_not(text.begin(), text.end(), wanted);
        const auto taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(taken.size());
        return taken;
    };
    const auto take_one = [&text](std::string_view wanted) {
        const auto taken = text.substr(0, !text.empty() && wanted.find(text[0]) != std::string_view::npos ? 1 : 0);
        text.remove_prefix(taken.size());
        return taken;
    };
    const auto is_blank = [](char c) { return std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos; };
    const auto is_word = [](char c) {
        return static_cast<unsigned char>(c) < 0x80 && (is_digit(c) || is_letter(c)) && c != '_';
    };

    constexpr std::string_view native = native_order == byte_order::little ? "<" : ">";
    constexpr std::string_view foreign = native_order == byte_order::little ? ">" : "<";
    comma_item out;
    std::string_view order = take_one("<>|=");
    out.repeats += take_while([](char c) { return c == ' '; });
    out.repeats += take_one("(");
    out.repeats += take_while([](char c) { return c == ' ' || c == ',' || is_digit(c); });
    out.repeats += take_one(")");
    out.repeats += take_while([](char c) { return c == ' '; });
    if (const auto inner = take_one("<>|="); order.empty()) {
        order = inner;
    } else if (!inner.empty()) {
        if ((order == "=" ? native : order) != (inner == "=" ? native : inner))
            return std::nullopt;
    }
    if (order != foreign)  // which is why "<float64,i4" is a type to NumPy, and "<float64" is not
        order = {};
    out.type = order;
    out.type += take_while([&](char c) { return is_word(c) || c == '.' || c == '?'; });
    if (const auto end = text.find(']'); text.starts_with('[') && end != std::string_view::npos && end > 1) {
        const auto unit = text.substr(1, end - 1);
        if (std::all_of(unit.begin(), unit.end(), [&](char c) { return is_word(c) || c == ',' || c == '.'; })) {
            out.type += text.substr(0, end + 1);
            text.remove_prefix(end + 1);
        }
    }
    (void)take_while(is_blank);
    if (text.empty())
        return out;
    if (take_one(",").empty())
        return std::nullopt;
    (void)take_while(is_blank);
    return out;
}

}  // namespace detail

}  // namespace ndkeep
