// SPDX-License-Identifier: BSD-3-Clause
// The words NumPy has for plain types: "<f8", "float64", "M8[25s]", and the parts of "2i4,S5".
#pragma once

#include <ndkeep/version.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

enum class byte_order : char { little = '<', big = '>', none = '|' };

inline constexpr byte_order native_order =
    std::endian::native == std::endian::little ? byte_order::little : byte_order::big;

namespace detail {

/// A type without fields. Kind 'O' is objects and 'T' variable-width strings, both for the caller to refuse.
struct plain_type {
    char kind = 'V';
    std::uint64_t size = 0;  // bytes
    byte_order order = native_order;
    std::string unit = {};  // of dates; empty is generic
    std::int64_t multiple = 1;
};

/// Whether NumPy has a type of this kind with so many bytes.
[[nodiscard]] constexpr bool has_size(char kind, std::uint64_t size) {
    switch (kind) {
    case 'b':
        return size == 1;
    case 'i':
    case 'u':
        return size == 1 || size == 2 || size == 4 || size == 8;
    case 'f':
        return size == 2 || size == 4 || size == 8 || size == 16;
    case 'c':
        return size == 8 || size == 16 || size == 32;
    case 'M':
    case 'm':
        return size == 8;
    case 'U':
        return size % 4 == 0;
    case 'S':
    case 'V':
        return true;
    default:
        return false;
    }
}

struct time_unit {
    std::string_view name;
    std::array<std::int32_t, 3> parts;  // how many of finer units make one
    std::array<std::string_view, 3> finer;
};

inline constexpr std::int64_t most_units = std::numeric_limits<std::int32_t>::max();

[[nodiscard]] const time_unit* find_unit(std::string_view name);

/// A plain type by its words, as `numpy.dtype(str)` takes them; nothing if there is none. Sizes may exceed every limit.
[[nodiscard]] std::optional<plain_type> read_plain_type(std::string_view text);

/// One item of a comma string: `(2,3)<f8` is a repeat count and the text of a type.
struct comma_item {
    std::string repeats = {};
    std::string type = {};
};

/// Whether NumPy takes a text for a comma string: at a count in front, or at a comma outside brackets.
[[nodiscard]] bool is_comma_string(std::string_view text);

/// Cuts the first item off a comma string; nothing if there is none. The scan is NumPy's: blanks, count, order, type.
[[nodiscard]] std::optional<comma_item> next_comma_item(std::string_view& text);

}  // namespace detail
}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/dtype_words.ipp>
#endif
