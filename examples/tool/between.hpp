// SPDX-License-Identifier: BSD-3-Clause
// The rows of an ordered chunked array whose keys lie between two bounds.
#pragma once

#include "stored_array.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace tool {

/// The first row whose key is at least `from`, and the first one whose key is at least `to`; equal if no row is between
/// them. Bounds are numbers, or dates in ISO 8601 for keys that are dates. Of a date, a plain number is a count of its
/// unit, but four digits are a year.
/// @throws ndkeep::mismatch_error  not a chunked array, or one without an order; or a bound is not of the kind of the
///                                 keys
[[nodiscard]] std::pair<std::uint64_t, std::uint64_t> rows_between(const stored_array& array, const std::string& from,
                                                                   const std::string& to);

}  // namespace tool
