// SPDX-License-Identifier: BSD-3-Clause
// NumPy's text for plain types ("<f8", "float64", "M8[25s]"), and the items of comma strings ("2i4,S5").
#pragma once

#include <ndkeep/version.hpp>

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

/// The byte order of a dtype, with NumPy's character for it. Types of one byte, S and V have none.
enum class byte_order : char { little = '<', big = '>', none = '|' };

/// The byte order of this machine.
inline constexpr byte_order native_order =
    std::endian::native == std::endian::little ? byte_order::little : byte_order::big;

namespace detail {

/// A parsed dtype without fields. Kind 'O' (objects) and 'T' (variable-width strings) are returned as well, so that
/// the caller can reject them with a precise message.
struct plain_type {
    char kind = 'V';
    std::uint64_t size = 0;  // bytes
    byte_order order = native_order;
    std::string unit = {};  // of a date; empty if generic
    std::int64_t multiple = 1;
};

/// Whether NumPy has a type of this kind and size in bytes. Kinds O and T are not included.
[[nodiscard]] constexpr bool has_size(char kind, std::uint64_t size) {
    switch (kind) {
    case 'b':
        return size == 1;
    case 'i':
    case 'u':
        return size == 1 || size == 2 || size == 4 || size == 8;
    case 'f':
        // 16 bytes are long double: extended precision on x86-64, quadruple on AArch64. The 12 bytes of 32-bit x86 are
        // not supported.
        return size == 2 || size == 4 || size == 8 || size == 16;
    case 'c':
        return size == 8 || size == 16 || size == 32;
    case 'M':
    case 'm':
        return size == 8;
    case 'U':
        // UCS-4: four bytes per character.
        return size % 4 == 0;
    case 'S':
    case 'V':
        return true;
    default:
        return false;
    }
}

/// Parses a plain type as `numpy.dtype(str)` accepts it; nullopt if NumPy has no such type. The size is not compared
/// with any limit; that is left to the caller.
[[nodiscard]] std::optional<plain_type> read_plain_type(std::string_view text);

/// One item of a comma string. `(2,3)<f8` has the repeat count "(2,3)" and the type "<f8".
struct comma_item {
    std::string repeats = {};
    std::string type = {};
};

/// Whether NumPy reads a text as a comma string: it starts with a repeat count, or has a comma outside square brackets.
[[nodiscard]] bool is_comma_string(std::string_view text);

/// Removes the first item from a comma string and returns it; nullopt if it is malformed. As in NumPy, an item is a
/// byte order, a repeat count, a byte order if none came before, and a type; blanks may surround the count.
[[nodiscard]] std::optional<comma_item> next_comma_item(std::string_view& text);

}  // namespace detail
}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/dtype_words.ipp>
#endif
