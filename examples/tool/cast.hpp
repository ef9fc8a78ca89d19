// SPDX-License-Identifier: BSD-3-Clause
// Arrays in another dtype, byte order or order of their elements.
#pragma once

#include <ndkeep/array/view.hpp>

#include <filesystem>

namespace tool {

/// The same type in another byte order, structs field by field.
[[nodiscard]] ndkeep::dtype with_order(const ndkeep::dtype& type, ndkeep::byte_order order);

struct cast_options {
    bool column_major = false;  ///< the order in which the result is written
    /// As numpy's astype(casting="unsafe"): integers wrap, fractions are cut off, other numbers that are too
    /// large for an integer become the nearest, NaN 0. Else only casting="same_kind", and only values that fit.
    bool unsafe = false;
    std::filesystem::path called = {};  ///< named in errors
};

/// The same values as `to`, made while they are read; the whole array in memory only where the result is column-major
/// and of another dtype. Structs are matched by field name.
/// @throws ndkeep::mismatch_error  not such a cast, now; a value that does not fit, when it is read
[[nodiscard]] ndkeep::array_view cast_view(const ndkeep::array_view& from, const ndkeep::dtype& to,
                                           const cast_options& options);

/// What becomes of a number that is too large for an integer dtype.
enum class overflow {
    wraps,     ///< integers keep their lowest bits
    saturates  ///< the nearest one
};

/// Writes a number as a plain dtype has it.
/// @return whether it fits; what does not fit is written as an unsafe cast has it
bool write_number(const ndkeep::dtype& type, long double real, long double imaginary, std::byte* to,
                  overflow beyond = overflow::saturates);
/// Writes text, UTF-8 for U and bytes for S, with zeros behind it.
/// @return whether it fits; else what fits of it is written
bool write_text(const ndkeep::dtype& type, std::string_view utf8, std::byte* to);

}  // namespace tool
