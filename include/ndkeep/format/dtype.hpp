// SPDX-License-Identifier: BSD-3-Clause
// A NumPy dtype as a value: kind, size, byte order, fields, and the text NumPy writes for it.
// <ndkeep/format/dtype_parser.hpp> reads that text.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype_words.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/text/python/literal.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// What one element of an array is: a plain type, a date with its unit, or a struct of named fields.
///
/// Two are equal if NumPy prints them alike: titles, padding and byte orders count.
class dtype {
  public:
    struct field;

    /// `|V0`: no bytes.
    dtype();

    /// @param kind  b i u f c S U V
    /// @param size  bytes; of U four per character
    /// @param order  has no meaning for one byte, S and V, and is dropped there
    /// @throws format_error  NumPy has no such type
    [[nodiscard]] static dtype plain(char kind, std::uint64_t size, byte_order order = native_order);

    /// A date or a span of time, 64 bits.
    ///
    /// @param kind  M (datetime64) or m (timedelta64)
    /// @param unit  Y M W D h m s ms us ns ps fs as, or empty for generic
    [[nodiscard]] static dtype time(char kind, std::string unit, std::int64_t multiple = 1,
                                    byte_order order = native_order);

    /// Fields in ascending order without overlap; what they leave of `size` bytes is padding.
    ///
    /// @throws format_error  fields that overlap, leave the struct or share a name or title
    [[nodiscard]] static dtype structure(std::vector<field> fields, std::uint64_t size,
                                         const std::filesystem::path& file = {});

    /// Anything `numpy.dtype(str)` takes ("<f8", "float64", "M8[25s]", "i4,S2"), and what `descr` prints.
    ///
    /// @param file  named in errors, never opened
    /// @throws format_error  not a dtype, an object, or beyond a limit
    [[nodiscard]] static dtype parse(std::string_view text, const std::filesystem::path& file = {},
                                     const limits& limit = {});

    /// The value behind 'descr' in a header.
    [[nodiscard]] static dtype parse(const literal& descr, const std::filesystem::path& file = {},
                                     const limits& limit = {});

    [[nodiscard]] char kind() const noexcept { return kind_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }  ///< bytes of one element
    [[nodiscard]] byte_order order() const noexcept { return order_; }
    [[nodiscard]] bool is_struct() const noexcept { return is_struct_; }
    [[nodiscard]] const std::vector<field>& fields() const noexcept { return fields_; }
    [[nodiscard]] const std::string& unit() const noexcept { return unit_; }    ///< of dates; empty is generic
    [[nodiscard]] std::int64_t multiple() const noexcept { return multiple_; }  ///< 25 of `M8[25s]`

    /// The field of this name, or null.
    [[nodiscard]] const field* find(std::string_view name) const;

    /// No byte of any field needs swapping.
    [[nodiscard]] bool is_native() const;

    /// The same type, sizes and offsets, in the machine's byte order.
    [[nodiscard]] dtype native() const;

    /// NumPy's `dtype.str`: "<f8", "<M8[ns]", and "|V16" for structs.
    [[nodiscard]] std::string str() const;

    /// What NumPy writes behind 'descr', as UTF-8: "'<f8'", "[('x', '<i4'), ('', '|V4'), ('m', '<f8', (2, 3))]".
    [[nodiscard]] std::string descr() const;

    /// The C++ type that `load` and `map` take for it: "double", "std::int32_t", "ndkeep::fixed_string<8>". Empty for
    /// structs, dates and durations.
    [[nodiscard]] std::string cpp_name() const;

    friend bool operator==(const dtype& a, const dtype& b);

  private:
    char kind_ = 'V';
    byte_order order_ = byte_order::none;
    bool is_struct_ = false;
    std::uint64_t size_ = 0;
    std::int64_t multiple_ = 1;
    std::string unit_;
    std::vector<field> fields_;
};

struct dtype::field {
    std::string name = {};   ///< UTF-8; one field may be without
    std::string title = {};  ///< a second name; empty for none
    dtype type = {};
    std::uint64_t offset = 0;             ///< bytes from the start of the struct
    std::vector<std::size_t> shape = {};  ///< of a sub-array; {} is one value

    /// How many dimensions each tuple of `descr` holds, outermost first, where sub-arrays are nested; else empty.
    std::vector<std::size_t> nesting = {};

    /// Values in the sub-array, 1 without.
    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] std::uint64_t nbytes() const { return count() * type.size(); }

    friend bool operator==(const field&, const field&) = default;
};

inline dtype::dtype() = default;

namespace detail {

/// The error of a dtype: always about "descr".
[[nodiscard]] format_error descr_error(const std::filesystem::path& file, std::string expected, std::string found,
                                       std::string hint = {});

[[nodiscard]] std::string kind_text(char kind);

}  // namespace detail

namespace core {

/// Extents multiplied, zeros left out, so that a limit holds whichever of them is zero.
///
/// @return false if the product times `unit` exceeds `most`
[[nodiscard]] bool fits(const std::vector<std::size_t>& shape, std::uint64_t unit, std::uint64_t most);

}  // namespace core

bool operator==(const dtype& a, const dtype& b);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/dtype.ipp>
#endif
