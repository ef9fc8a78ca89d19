// SPDX-License-Identifier: BSD-3-Clause
// Trees as text for people: JSON, but for the arrays and the numbers that are not finite.
#pragma once

#include <ndkeep/tree/tree.hpp>

#include <string>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Null, booleans and numbers, as JSON has them: numbers that are not finite as strings.
void append_scalar(std::string& out, const tree& value);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/text.ipp>
#endif
