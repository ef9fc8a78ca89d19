// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/dtype_words.hpp>.
#pragma once

#include <ndkeep/format/dtype_words.hpp>

#include <ndkeep/format/time_unit.hpp>
#include <ndkeep/text/python/scanner.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// A type without fields and unit. Each of its names is between two blanks, so that a search for " name " finds
/// complete names only.
struct type_row {
    char kind;
    std::uint8_t size;          // bytes; 0 if the text after the name decides
    std::string_view cpp_name;  // of numbers
    std::string_view words;
};

// The names are those of numpy.sctypeDict and the type characters, in NumPy 1.24 on 64-bit Linux and macOS. A C long
// has 8 bytes on both. T is from NumPy 2, and is listed only to be rejected by name. bfloat16 is from ml_dtypes, with
// its type character E as the kind here.
// A number of 16 bytes is a long double: extended precision on x86-64, quadruple on AArch64. The 12 bytes of 32-bit x86
// are not supported.
// A new number needs a row here, a row in <ndkeep/element/dispatch.hpp> and an `element_type` in
// <ndkeep/element/element.hpp>.
inline constexpr std::array<type_row, 23> type_rows = {{
    {'b', 1, "bool", " ? bool bool_ bool8 "},
    {'i', 1, "std::int8_t", " b byte int8 "},
    {'i', 2, "std::int16_t", " h short int16 "},
    {'i', 4, "std::int32_t", " i intc int32 "},
    {'i', 8, "std::int64_t", " l q p int int_ int0 int64 intp long longlong "},
    {'u', 1, "std::uint8_t", " B ubyte uint8 "},
    {'u', 2, "std::uint16_t", " H ushort uint16 "},
    {'u', 4, "std::uint32_t", " I uintc uint32 "},
    {'u', 8, "std::uint64_t", " L Q P uint uint0 uint64 uintp ulong ulonglong "},
    {'f', 2, "ndkeep::float16", " e half float16 "},
    {'f', 4, "float", " f single float32 "},
    {'f', 8, "double", " d double float float_ float64 "},
    {'f', 16, "long double", " g longdouble longfloat float128 "},
    {'E', 2, "ndkeep::bfloat16", " bfloat16 "},
    {'c', 8, "std::complex<float>", " F csingle singlecomplex complex64 "},
    {'c', 16, "std::complex<double>", " D cdouble cfloat complex complex_ complex128 "},
    {'c', 32, "std::complex<long double>", " G clongdouble clongfloat longcomplex complex256 "},
    {'S', 0, "", " S a bytes bytes_ bytes0 string_ "},
    {'S', 1, "", " c "},
    {'U', 0, "", " U str str_ str0 unicode unicode_ "},
    {'V', 0, "", " V void void0 "},
    {'O', 8, "", " O object object_ object0 "},
    {'T', 16, "", " T StringDType StringDType() "},
}};

NDKEEP_INLINE std::string_view number_name(char kind, std::uint64_t size) {
    for (const type_row& row : type_rows)
        if (row.kind == kind && row.size == size)
            return row.cpp_name;
    return {};
}

NDKEEP_INLINE bool has_size(char kind, std::uint64_t size) {
    if (is_time_kind(kind))
        return size == 8;
    switch (kind) {
    case 'U':
        // UCS-4: four bytes per character.
        return size % 4 == 0;
    case 'S':
    case 'V':
        return true;
    default:
        return !number_name(kind, size).empty();
    }
}

/// Parses a decimal number at `at` as C's strtol does, with blanks and a sign in front; nullopt without digits. Moves
/// `at` to the first character after the number.
[[nodiscard]] NDKEEP_INLINE std::optional<std::int64_t> decimal(std::string_view text, std::size_t& at) {
    std::size_t i = std::min(text.find_first_not_of(" \t\n\v\f\r", at), text.size());
    const bool negative = i < text.size() && text[i] == '-';
    if (i < text.size() && (text[i] == '-' || text[i] == '+'))
        ++i;
    if (i == text.size() || !is_digit(text[i]))
        return std::nullopt;
    std::int64_t value = 0;
    // Larger numbers are replaced by this one, which exceeds every limit and leaves room for the next digit and for the
    // factor 4 of U. strtol saturates as well.
    constexpr std::int64_t enough = std::numeric_limits<std::int64_t>::max() / 16;
    for (; i < text.size() && is_digit(text[i]); ++i)
        value = std::min(value * 10 + (text[i] - '0'), enough);
    at = i;
    return negative ? -value : value;
}

/// Parses the text in the brackets of a date: "ns", "25s", "D/12", "generic". Returns false if NumPy has no such unit.
[[nodiscard]] NDKEEP_INLINE bool read_unit(std::string_view text, plain_type& type) {
    std::size_t at = 0;
    type.multiple = decimal(text, at).value_or(1);
    const std::size_t slash = std::min(text.find('/', at), text.size());
    auto name = text.substr(at, slash - at);
    std::int64_t divisor = 1;
    if (slash < text.size()) {
        at = slash + 1;
        // A missing divisor becomes 0, which is rejected below.
        divisor = decimal(text, at).value_or(0);
        if (at != text.size())
            return false;
    }
    // NumPy accepts "us" also with the Greek letter mu.
    if (name == "\u03bcs")
        name = "us";
    if (type.multiple < 0 || type.multiple > most_units || divisor < 1 || divisor > most_units)
        return false;
    // The generic unit has no multiple, so a number before it is dropped, and it cannot be divided.
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
    // A fraction must be a whole number of a finer unit: "D/12" is 2h. As in NumPy, the first unit that fits is used.
    // The product below fits 64 bits: the multiple has 31 bits, and the largest number of parts is 1,000,000.
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
        // Exactly one closing bracket, at the end.
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
    // NumPy accepts a byte order in front of one-letter names only: "<d" is a type, "<float64" is not. A name with a
    // blank could match across two names of a row, so it is excluded.
    if (!rest.empty() && rest.find(' ') == std::string_view::npos && (!marked || rest.size() == 1)) {
        const std::string word = ' ' + std::string(rest) + ' ';
        for (const type_row& row : type_rows) {
            if (row.words.find(word) == std::string_view::npos)
                continue;
            out.kind = row.kind;
            out.size = row.size;
            return out;
        }
    }
    // What remains is a kind and a size, such as "f8".
    std::size_t at = 1;
    const auto size = rest.size() < 2 ? std::nullopt : decimal(rest, at);
    // NumPy 1.24 accepts "S-1" and makes a type of negative size; a file with it is not safe to read.
    if (!size || at != rest.size() || *size < 0)
        return std::nullopt;
    // "a" is NumPy's older letter for S.
    out.kind = rest[0] == 'a' ? 'S' : rest[0];
    out.size = static_cast<std::uint64_t>(*size) * (out.kind == 'U' ? 4 : 1);
    // bfloat16 has only its name: NumPy has no size after the letter E.
    if (out.kind == 'E')
        return std::nullopt;
    // Pointers of 32-bit and 64-bit machines. The caller rejects objects.
    if (out.kind == 'O' ? out.size != 4 && out.size != 8 : !has_size(out.kind, out.size))
        return std::nullopt;
    return out;
}

NDKEEP_INLINE bool is_comma_string(std::string_view text) {
    const auto rest = text.substr(!text.empty() && std::string_view("<>=|").find(text[0]) != std::string_view::npos);
    if (rest.starts_with("()") || (!rest.empty() && is_digit(rest[0])))
        return true;
    // The unit of a date can hold a comma, in square brackets.
    int brackets = 0;
    for (const char c : text) {
        brackets += c == '[' ? 1 : c == ']' ? -1 : 0;
        if (c == ',' && brackets == 0)
            return true;
    }
    return false;
}

NDKEEP_INLINE std::optional<comma_item> next_comma_item(std::string_view& text) {
    // This is the regular expression `format_re` of NumPy's _internal.py, group by group. std::regex is not used: it
    // can exhaust the stack on a long text.
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
    // `is_letter` includes the underscore and all bytes beyond ASCII; the expression does not.
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
        // A byte order may come before and after the count, but the two must agree.
        if ((order == "=" ? native : order) != (inner == "=" ? native : inner))
            return std::nullopt;
    }
    // NumPy drops a byte order that is the machine's. So "<float64,i4" is a dtype, although "<float64" alone is not.
    if (order != foreign)
        order = {};
    out.type = order;
    out.type += take_while([&](char c) { return is_word(c) || c == '.' || c == '?'; });
    // A date's unit belongs to the type: "M8[ns]".
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
    // The item must end at a comma or at the end of the text; anything else is malformed.
    if (take_one(",").empty())
        return std::nullopt;
    (void)take_while(is_blank);
    return out;
}

}  // namespace detail

}  // namespace ndkeep
