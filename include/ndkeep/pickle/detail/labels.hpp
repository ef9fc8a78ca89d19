// SPDX-License-Identifier: BSD-3-Clause
// Elements of arrays as keys of dictionaries: NumPy scalars, and the labels of a pandas Index.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The text of element `at` as Python's str. nullopt for other dtypes than numbers, text and dates, such as structs,
/// complex numbers and durations.
[[nodiscard]] std::optional<std::string> label_text(const any_array& array, std::size_t at);

/// A real number as Python's str: 1.0, 0.1, 1e+30, nan.
[[nodiscard]] std::string python_text(double value);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/labels.ipp>
#endif
