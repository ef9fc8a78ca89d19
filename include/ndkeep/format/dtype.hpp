// SPDX-License-Identifier: BSD-3-Clause
// A NumPy dtype as a value: kind, size, byte order, fields, and the text NumPy writes for it.
// The parser of that text is in <ndkeep/format/dtype_parser.hpp>.
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

/// The type of one array element: a plain type, a date with its unit, or a struct of named fields.
///
/// Two dtypes are equal if NumPy prints the same text for both, so titles, padding and byte orders count.
class dtype {
  public:
    struct field;

    /// The dtype `|V0`, an element of no bytes.
    dtype();

    /// A type without fields and without a unit.
    ///
    /// @param kind  b i u f c S U V, or E for bfloat16
    /// @param size  bytes; U has four per character
    /// @param order  ignored for types of one byte, bfloat16, S and V
    /// @throws format_error  NumPy has no such type, or it has more than 2^31 - 1 bytes
    [[nodiscard]] static dtype plain(char kind, std::uint64_t size, byte_order order = native_order);

    /// A date or a span of time, 64 bits.
    ///
    /// @param kind  M (datetime64) or m (timedelta64)
    /// @param unit  Y M W D h m s ms us ns ps fs as, or empty for generic
    /// @param multiple  units per step, from 0 to 2^31 - 1: 25 for `M8[25s]`; 1 if generic
    /// @throws format_error  another kind or unit, or a multiple out of range
    [[nodiscard]] static dtype time(char kind, std::string unit, std::int64_t multiple = 1,
                                    byte_order order = native_order);

    /// A struct of `size` bytes. Its fields are in ascending order and do not overlap; other bytes are padding.
    ///
    /// @param file  named in errors, never opened
    /// @throws format_error  fields that overlap, exceed the struct, share a name or title, or have a name that is not
    ///                       UTF-8; a struct of more than 2^31 - 1 bytes
    [[nodiscard]] static dtype structure(std::vector<field> fields, std::uint64_t size,
                                         const std::filesystem::path& file = {});

    /// Parses the text that `numpy.dtype(str)` accepts ("<f8", "float64", "M8[25s]", "i4,S2"), or that `descr` prints.
    /// "bfloat16" is accepted as well, and a "V2" stays bytes.
    ///
    /// @param file  named in errors, never opened
    /// @throws format_error  not a dtype, a dtype with objects, a sub-array outside of a struct, or a limit exceeded
    [[nodiscard]] static dtype parse(std::string_view text, const std::filesystem::path& file = {},
                                     const limits& limit = {});

    /// Parses the value of the key 'descr' in a header. Errors are those of the other overload.
    [[nodiscard]] static dtype parse(const literal& descr, const std::filesystem::path& file = {},
                                     const limits& limit = {});

    /// b i u f c S U V M m, or E for bfloat16; V for structs.
    [[nodiscard]] char kind() const noexcept { return kind_; }
    // What several kinds have in common. A struct is none of these.
    /// Signed and unsigned integers.
    [[nodiscard]] bool is_integer() const noexcept { return kind_ == 'i' || kind_ == 'u'; }
    /// Floating-point numbers, bfloat16 included.
    [[nodiscard]] bool is_floating_point() const noexcept { return kind_ == 'f' || kind_ == 'E'; }
    /// Complex numbers.
    [[nodiscard]] bool is_complex() const noexcept { return kind_ == 'c'; }
    /// Floating-point and complex numbers, which can be NaN.
    [[nodiscard]] bool is_inexact() const noexcept { return is_floating_point() || is_complex(); }
    /// Integers, floating-point and complex numbers, and bool.
    [[nodiscard]] bool is_number() const noexcept { return kind_ == 'b' || is_integer() || is_inexact(); }
    /// Dates and durations, which are stored as counts of 64 bits.
    [[nodiscard]] bool is_time() const noexcept { return detail::is_time_kind(kind_); }
    /// S and U.
    [[nodiscard]] bool is_text() const noexcept { return kind_ == 'S' || kind_ == 'U'; }

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }  ///< bytes of one element
    /// The byte order; `none` where it does not matter, and of structs.
    [[nodiscard]] byte_order order() const noexcept { return order_; }
    /// Whether it is a struct of fields.
    [[nodiscard]] bool is_struct() const noexcept { return is_struct_; }
    /// The fields of a struct, by ascending offset.
    [[nodiscard]] const std::vector<field>& fields() const noexcept { return fields_; }
    [[nodiscard]] const std::string& unit() const noexcept { return unit_; }    ///< of dates; empty is generic
    [[nodiscard]] std::int64_t multiple() const noexcept { return multiple_; }  ///< 25 of `M8[25s]`

    /// The field with this name; nullptr if absent.
    [[nodiscard]] const field* find(std::string_view name) const;

    /// Whether all values are in the byte order of this machine, so that no bytes need swapping.
    [[nodiscard]] bool is_native() const;

    /// The same type in the byte order of this machine; sizes and offsets do not change.
    [[nodiscard]] dtype native() const;

    /// The same type as a reader of `descr` gets it: two bytes, "|V2", for bfloat16, also in the fields of structs.
    [[nodiscard]] dtype stored() const;

    /// The text of NumPy's `dtype.str`: "<f8", "<M8[ns]", and "|V16" for structs. "bfloat16" has no other.
    [[nodiscard]] std::string str() const;

    /// The value NumPy writes for the key 'descr', in UTF-8: "'<f8'" or
    /// "[('x', '<i4'), ('', '|V4'), ('m', '<f8', (2, 3))]". That of bfloat16 is "'<V2'" or "'>V2'", in this machine's
    /// order, as np.save writes it for the dtype of ml_dtypes.
    [[nodiscard]] std::string descr() const;

    /// The C++ element type for `load` and `map`: "double", "std::int32_t", "ndkeep::fixed_string<8>". Empty for
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

/// One field of a struct.
struct dtype::field {
    std::string name = {};                ///< UTF-8; empty for at most one field of a struct
    std::string title = {};               ///< the second name NumPy allows; empty if absent
    dtype type = {};                      ///< of one value
    std::uint64_t offset = 0;             ///< bytes from the start of the struct
    std::vector<std::size_t> shape = {};  ///< of a sub-array; {} is one value

    /// The number of dimensions in each tuple of `descr`, outermost first, if sub-arrays are nested; otherwise empty.
    std::vector<std::size_t> nesting = {};

    /// Values in the sub-array; 1 if the field is not a sub-array.
    [[nodiscard]] std::uint64_t count() const;
    /// Bytes of the field, of a sub-array all together.
    [[nodiscard]] std::uint64_t nbytes() const { return count() * type.size(); }

    friend bool operator==(const field&, const field&) = default;
};

inline dtype::dtype() = default;

namespace detail {

/// "kind 'f'", for errors.
[[nodiscard]] std::string kind_text(char kind);

}  // namespace detail

namespace core {

/// The text that `dtype::parse` turns into the same dtype: `descr`, with "bfloat16" by name, of a struct; otherwise
/// `str`.
[[nodiscard]] std::string dtype_text(const dtype& type);

/// Whether an array of this shape, with elements of `unit` bytes, has at most `most` bytes.
///
/// Zeros count as 1, in the shape and as `unit`. So an extent of 0 cannot hide others whose product would overflow.
[[nodiscard]] bool fits(const std::vector<std::size_t>& shape, std::uint64_t unit, std::uint64_t most);

}  // namespace core

bool operator==(const dtype& a, const dtype& b);

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/dtype.ipp>
#endif
