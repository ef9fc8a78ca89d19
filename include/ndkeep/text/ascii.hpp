// SPDX-License-Identifier: BSD-3-Clause
// Classes of ASCII characters. The functions of <cctype> depend on the locale.
#pragma once

#include <ndkeep/version.hpp>

#include <algorithm>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether all characters of a text are decimal digits. True for an empty text.
[[nodiscard]] constexpr bool are_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace ndkeep::detail
