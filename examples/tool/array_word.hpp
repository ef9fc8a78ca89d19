// SPDX-License-Identifier: BSD-3-Clause
// FILE:MEMBER and SLICES, as they stand on the command line.
#pragma once

#include "arguments.hpp"

#include <ndkeep/error.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tool {

/// What a word of the command line names: a path, and perhaps a member behind a colon.
struct array_word {
    std::filesystem::path file;
    std::optional<std::string> member = {};
};

/// For every command that takes FILE:MEMBER.
inline constexpr option member_option = {"--member", "NAME", "the same as FILE:NAME"};

/// A word that is a path as it stands is one; else the first colon behind a path that is there parts the two.
[[nodiscard]] array_word word_of(const std::string& text);
/// The same, and the member that --member names if the word names none.
[[nodiscard]] array_word word_of(const std::string& text, const arguments& given);

/// The second word, or nothing.
/// @throws usage_error  it is none: it has no bracket
[[nodiscard]] std::string slices_behind(const arguments& given);

/// A member is named, and the file is no archive.
[[nodiscard]] ndkeep::mismatch_error no_archive(const std::filesystem::path& file, const std::string& member);
/// No member is named, and the archive holds none or several.
[[nodiscard]] ndkeep::mismatch_error no_only_array(const std::filesystem::path& file,
                                                   const std::vector<std::string>& names);

}  // namespace tool
