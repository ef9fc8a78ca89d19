// SPDX-License-Identifier: BSD-3-Clause
// Numbers that are not finite in JSON: text has no word for them, so that it is said beside it where they are.
#pragma once

#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <filesystem>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] json non_finite_in(const json& value);

/// Makes numbers of the texts at these places.
/// @throws format_error  there is no such text
void restore_non_finite(json& value, const json& paths, const std::filesystem::path& file);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/state/non_finite.ipp>
#endif
