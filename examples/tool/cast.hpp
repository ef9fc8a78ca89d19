// SPDX-License-Identifier: BSD-3-Clause
// Converts arrays to another dtype, byte order or element order.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/order.hpp>

#include <filesystem>

namespace tool {

/// The same dtype in another byte order; in a struct, every field is changed.
[[nodiscard]] ndkeep::dtype with_order(const ndkeep::dtype& type, ndkeep::byte_order order);

struct cast_options {
    ndkeep::order order = ndkeep::order::row_major;  ///< of the elements of the result
    /// Casts as numpy's astype(casting="unsafe"): integers wrap, fractions are truncated, other numbers that are too
    /// large for an integer are clamped, NaN becomes 0. If false, casts as casting="same_kind" and accepts only values
    /// that fit.
    bool unsafe = false;
    std::filesystem::path called = {};  ///< display path for errors
};

/// A view of the same values with dtype `to`, converted while they are read. The array is held in memory only if the
/// result is column-major and of another dtype. Struct fields are matched by name.
/// @throws ndkeep::mismatch_error  at once: the cast is not allowed; while reading: a value does not fit
[[nodiscard]] ndkeep::array_view cast_view(const ndkeep::array_view& from, const ndkeep::dtype& to,
                                           const cast_options& options);

/// What happens to a number that is too large for an integer dtype.
enum class overflow {
    wraps,     ///< keep the lowest bits
    saturates  ///< store the nearest value
};

/// Writes a number to memory in a plain dtype.
/// @return whether the number fits; otherwise it is written as by an unsafe cast
bool write_number(const ndkeep::dtype& type, long double real, long double imaginary, std::byte* to,
                  overflow beyond = overflow::saturates);
/// Writes text padded with zeros: UTF-32 for U, the UTF-8 bytes for S.
/// @return whether the text fits; otherwise it is truncated
bool write_text(const ndkeep::dtype& type, std::string_view utf8, std::byte* to);

}  // namespace tool
