// SPDX-License-Identifier: BSD-3-Clause
// Code page 437, in which zip archives name their members unless they say UTF-8.
#pragma once

#include <ndkeep/version.hpp>

#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Text of code page 437 as UTF-8.
/// @see APPNOTE 4.4.4, bit 11, and appendix D.1
[[nodiscard]] std::string from_code_page_437(std::string_view text);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/zip/code_page.ipp>
#endif
