// SPDX-License-Identifier: BSD-3-Clause
// NaN and infinities in JSON: they are written as text, and a separate list holds their paths.
#pragma once

#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The paths of all numbers that are not finite, as JSON pointers.
/// @see RFC 6901
[[nodiscard]] json non_finite_in(const json& value);

/// Replaces the texts "NaN", "Infinity" and "-Infinity" at these paths by numbers.
/// @throws format_error  a path is not valid, or has no such text
void restore_non_finite(json& value, const json& paths, const std::filesystem::path& file);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/state/non_finite.ipp>
#endif
