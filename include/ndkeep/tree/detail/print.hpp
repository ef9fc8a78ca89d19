// SPDX-License-Identifier: BSD-3-Clause
// Trees as text for people: JSON, except for arrays and numbers that are not finite.
#pragma once

#include <ndkeep/tree/tree.hpp>

#include <string>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Appends null, a boolean or a number as JSON. A number that is not finite becomes a string.
void append_scalar(std::string& out, const tree& value);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/print.ipp>
#endif
