// SPDX-License-Identifier: BSD-3-Clause
// Parses FILE:MEMBER and SLICES of the command line.
#pragma once

#include "arguments.hpp"

#include <ndkeep/error.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// A path and optionally a member of an archive, or the path of a value in a pickle, as in FILE:MEMBER.
struct array_word {
    std::filesystem::path file;
    std::optional<std::string> member = {};
};

/// The option --member, for every command that takes FILE:MEMBER.
inline constexpr option member_option = {"--member", "NAME",
                                         "member of an archive, or path of a value in a pickle; same as FILE:NAME"};

/// Splits FILE:MEMBER. A word that is an existing path or in a bucket is a path; otherwise it is split at the first
/// colon that follows an existing path.
[[nodiscard]] array_word word_of(const std::string& text);
/// As above. If the word names no member, the value of --member is used.
[[nodiscard]] array_word word_of(const std::string& text, const arguments& given);

/// For commands that take complete files only. Does nothing if the word is not FILE:MEMBER.
/// @throws ndkeep::mismatch_error  FILE has no such member, or it has one, which the command does not take
void reject_member(const std::string& text);

/// The second word, which holds the slices; empty if there is none.
/// @throws usage_error  the word does not begin with a bracket
[[nodiscard]] std::string slices_behind(const arguments& given);

/// The error when a member is named, but the file is neither an archive nor a pickle.
[[nodiscard]] ndkeep::mismatch_error no_archive(const std::filesystem::path& file, const std::string& member);
/// The error when no member is named, and the archive does not hold exactly one array.
[[nodiscard]] ndkeep::mismatch_error no_only_array(const std::filesystem::path& file,
                                                   const std::vector<std::string>& names);

}  // namespace tool
