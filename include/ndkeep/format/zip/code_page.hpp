// SPDX-License-Identifier: BSD-3-Clause
// Code page 437: the encoding of member names in zip archives that do not declare UTF-8.
#pragma once

#include <ndkeep/version.hpp>

#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Converts text from code page 437 to UTF-8. Every byte has a character, so this cannot fail.
/// @see APPNOTE 4.4.4, bit 11, and appendix D.1
[[nodiscard]] std::string from_code_page_437(std::string_view text);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/code_page.ipp>
#endif
