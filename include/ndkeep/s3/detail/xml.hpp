// SPDX-License-Identifier: BSD-3-Clause
// The XML that S3 answers: flat elements, whose texts are found by name.
#pragma once

#include <ndkeep/version.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The text between `<name>` and `</name>` in a document, as it stands there; "" if absent.
[[nodiscard]] std::string_view xml_element(std::string_view document, std::string_view name);
/// All of them, in order.
[[nodiscard]] std::vector<std::string_view> xml_elements(std::string_view document, std::string_view name);
/// The text that is meant: entities such as `&amp;` and `&#10;` are replaced.
[[nodiscard]] std::string xml_text(std::string_view escaped);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/s3/detail/xml.ipp>
#endif
