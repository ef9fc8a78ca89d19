// SPDX-License-Identifier: BSD-3-Clause
// Elements of any dtype as plain values: the leaves of a struct, each a column of numbers, dates or texts.
#pragma once

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/format/dtype.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace tool {

/// Plain values within an element: all of it, or a field of a struct, or of a struct within.
struct leaf {
    std::string path = {};  ///< "position.x"; empty where there is no struct
    ndkeep::dtype type = {};
    std::size_t offset = 0;                    ///< in bytes, within the element
    std::vector<std::size_t> shape = {};       ///< of the sub-arrays that it is in
    std::vector<std::ptrdiff_t> strides = {};  ///< of these

    /// Values in an element.
    [[nodiscard]] std::size_t count() const;
    /// Where one of them lies, from the start of the element; they are numbered in row-major order.
    [[nodiscard]] std::size_t offset_of(std::size_t number) const;
};

/// Whether an extent is 0; the others may then be as large as they like.
[[nodiscard]] bool is_without_elements(const std::vector<std::size_t>& shape);

/// In the order of the fields. A struct without fields has none.
[[nodiscard]] std::vector<leaf> leaves_of(const ndkeep::dtype& type);

/// The values of a leaf over some elements, one behind the other and in native byte order.
struct column {
    ndkeep::dtype type = {};
    std::vector<std::size_t> shape = {};  ///< of the values within one element
    std::size_t count = 0;                ///< of values
    ndkeep::core::buffer bytes = {};

    [[nodiscard]] const std::byte* at(std::size_t i) const {
        return bytes.data() + i * static_cast<std::size_t>(type.size());
    }
};
/// @param item   bytes from one element to the next
/// @param count  of elements
[[nodiscard]] column column_of(const leaf& part, const std::byte* elements, std::size_t item, std::size_t count);

/// A value in JSON: complex numbers as [real, imaginary], dates as ISO 8601, NaT as null, bytes without a kind in
/// hexadecimal.
[[nodiscard]] std::string json_at(const ndkeep::dtype& type, const std::byte* value);
/// An element in JSON; structs are objects, sub-arrays lists.
[[nodiscard]] std::string json_of_element(const ndkeep::dtype& type, const std::byte* element);

}  // namespace tool
