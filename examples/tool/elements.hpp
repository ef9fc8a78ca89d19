// SPDX-License-Identifier: BSD-3-Clause
// Splits elements of any dtype into leaves: the plain numbers, dates or texts of a struct, each read as a column.
#pragma once

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/format/dtype.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tool {

/// A plain part of an element: the complete element, a field of a struct, or a field of a nested struct.
struct leaf {
    std::string path = {};  ///< "position.x"; empty if the element is not a struct
    ndkeep::dtype type = {};
    std::size_t offset = 0;                    ///< in bytes from the start of the element
    std::vector<std::size_t> shape = {};       ///< shape of the enclosing sub-arrays
    std::vector<std::ptrdiff_t> strides = {};  ///< in bytes, one per axis of `shape`

    /// Number of values in one element.
    [[nodiscard]] std::size_t count() const;
    /// Byte offset of a value from the start of the element. Values are numbered in row-major order.
    [[nodiscard]] std::size_t offset_of(std::size_t number) const;
};

/// Whether an extent is 0. The product of the other extents may then exceed any limit.
[[nodiscard]] bool is_without_elements(const std::vector<std::size_t>& shape);

/// All leaves in the order of the fields. A struct without fields has none.
[[nodiscard]] std::vector<leaf> leaves_of(const ndkeep::dtype& type);

/// The values of one leaf over several elements, contiguous and in native byte order.
struct column {
    ndkeep::dtype type = {};
    std::vector<std::size_t> shape = {};  ///< shape of the values within one element
    std::size_t count = 0;                ///< number of values
    ndkeep::core::buffer bytes = {};

    [[nodiscard]] const std::byte* at(std::size_t i) const {
        return bytes.data() + i * static_cast<std::size_t>(type.size());
    }
};
/// @param item   distance from one element to the next, in bytes
/// @param count  number of elements
[[nodiscard]] column column_of(const leaf& part, const std::byte* elements, std::size_t item, std::size_t count);

/// A value as JSON: complex numbers as [real, imaginary], dates as ISO 8601, NaT as null, untyped bytes (V) as
/// hexadecimal text.
[[nodiscard]] std::string json_at(const ndkeep::dtype& type, const std::byte* value);
/// An element as JSON: structs as objects, sub-arrays as lists.
[[nodiscard]] std::string json_of_element(const ndkeep::dtype& type, const std::byte* element);

}  // namespace tool
