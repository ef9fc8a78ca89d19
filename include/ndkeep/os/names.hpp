// SPDX-License-Identifier: BSD-3-Clause
// Names of files: where links lead, names beside another, and random words for new ones.
#pragma once

#include <ndkeep/os/file.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

/// Where `path` leads once every symbolic link is followed; the last name need not exist.
/// @param there  gets what is under that name
[[nodiscard]] std::filesystem::path resolved(std::filesystem::path path, std::optional<struct stat>* there = nullptr);

/// Random bits for names that nobody else has.
[[nodiscard]] std::uint64_t random_bits();

/// Sixteen lower-case hexadecimal digits.
[[nodiscard]] std::string hexadecimal(std::uint64_t bits);

/// `.NAME.ndk` beside the file; a hash stands for names that would become too long.
[[nodiscard]] std::filesystem::path beside(const std::filesystem::path& target, std::string_view ending = ".ndk");

/// `.NAME.ndk.USER`, which is the lock of no name: for content whose lock `.NAME.ndk` belongs to another user.
[[nodiscard]] std::filesystem::path beside_of_user(const std::filesystem::path& target);

/// Whether it is a regular file of this user. The superuser's are given to others while they are written.
[[nodiscard]] bool is_own_file(const std::filesystem::path& path) noexcept;

}  // namespace core

namespace detail {

[[nodiscard]] bool is_link(const std::filesystem::path& path) noexcept;

/// FNV-1a of a text, carried on from another: tells texts apart that nobody has made to be alike.
[[nodiscard]] std::uint64_t hash_of(std::string_view text, std::uint64_t before = 14695981039346656037U);

/// `.NAME.RANDOM.ndk`: for a file that gets its name when it is whole.
[[nodiscard]] std::string temporary_name(std::string_view name);

/// NAME in `.NAME.RANDOM.ndk`; empty in any other name.
[[nodiscard]] std::string_view named_by_temporary(std::string_view temporary);

/// Tells the file under a name from any that replaces it.
struct file_identity {
    dev_t device = 0;
    ino_t inode = 0;
    mode_t mode = 0;
    file_stamp stamp = {};
    friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// nullopt if absent; links are not followed.
[[nodiscard]] std::optional<file_identity> identity_of(const std::filesystem::path& path) noexcept;

/// Whether the directory is sticky, so that this user may not remove the file.
[[nodiscard]] bool is_kept_by_directory(const std::filesystem::path& path) noexcept;

/// "a file of user 0", "a symbolic link of user 1000": what is in the way under a name.
[[nodiscard]] std::string kind_and_owner(const std::filesystem::path& path);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/names.ipp>
#endif
