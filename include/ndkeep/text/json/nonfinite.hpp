// SPDX-License-Identifier: BSD-3-Clause
// NaN and infinities in JSON documents, by one rule: each is written as the text "NaN", "Infinity" or "-Infinity", and
// the document's member "nonfinite" lists its JSON pointer. So a number comes back as a number, and text as text.
//
//     {"ndkeep": "sidecar/1", "metadata": {"fill": "NaN", "name": "NaN"}, "nonfinite": ["/metadata/fill"]}
//
// The member is absent if all numbers are finite. JSON itself has no such numbers: RFC 8259, 6. Pointers: RFC 6901.
#pragma once

#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr const char* nonfinite_key = "nonfinite";

/// The text of a number that is not finite.
[[nodiscard]] std::string_view nonfinite_text(double number) noexcept;
/// The number of such a text; nullopt for any other.
[[nodiscard]] std::optional<double> nonfinite_number(std::string_view text) noexcept;

/// Appends one step to a JSON pointer: the key of an object, or an index as text.
void append_step(std::string& pointer, std::string_view step);
/// The steps of a JSON pointer; nullopt if the text is not one.
[[nodiscard]] std::optional<std::vector<std::string>> steps_of(std::string_view pointer);
/// The index that a step into a list means; nullopt if the text is not one, or not below `size`.
[[nodiscard]] std::optional<std::size_t> index_of(std::string_view step, std::size_t size) noexcept;

/// Appends the pointers of all numbers in `value` that are not finite, each beginning with `pointer`, its own.
void list_nonfinite(const json& value, const std::string& pointer, std::vector<std::string>& pointers);

/// Turns the listed texts of a document into the numbers they stand for.
/// @throws format_error  "nonfinite" is not such a list
void restore_nonfinite(json& document, const std::filesystem::path& file);

/// The same for a list that stands elsewhere.
/// @param field  what errors name
void restore_nonfinite(json& value, const json& pointers, const std::filesystem::path& file, const std::string& field);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/text/json/nonfinite.ipp>
#endif
