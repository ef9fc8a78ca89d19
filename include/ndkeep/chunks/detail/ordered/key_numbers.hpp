// SPDX-License-Identifier: BSD-3-Clause
// Exact arithmetic on keys: a bound rounded to the numbers that keys can be, and the least number above a key.
#pragma once

#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>

#include <optional>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The least number of a form that is not less than `bound`: the keys from `bound` on are those from it on. nullopt if
/// every number of the form is less.
/// @param bound  not NaN
/// @param form   of the keys: see `number_form`
[[nodiscard]] std::optional<statistics::number> rounded_up(const statistics::number& bound, char form);

/// The least number of the same type that is greater; nullopt if none is.
[[nodiscard]] std::optional<statistics::number> next_above(const statistics::number& key);

/// Whether the keys below `a` are fewer than those below `b`. nullopt is above all keys.
[[nodiscard]] bool ends_before(const std::optional<statistics::number>& a, const std::optional<statistics::number>& b);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/ordered/key_numbers.ipp>
#endif
