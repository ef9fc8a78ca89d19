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

/// The byte order of a dtype, with NumPy's character for it. Types of one byte, bfloat16, S and V have none.
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

/// Whether a kind is that of dates (M) or durations (m).
[[nodiscard]] constexpr bool is_time_kind(char kind) noexcept { return kind == 'M' || kind == 'm'; }

/// Whether a dtype can have this kind and size in bytes. Kinds O and T are not included.
[[nodiscard]] bool has_size(char kind, std::uint64_t size);

/// The C++ element type of a number: "double", "std::int32_t". Empty for other kinds.
[[nodiscard]] std::string_view number_name(char kind, std::uint64_t size);

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
