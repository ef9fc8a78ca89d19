// SPDX-License-Identifier: BSD-3-Clause
// Names of files: symbolic links resolved, lock and temporary names, and which file a name leads to.
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

/// Follows symbolic links in the last name of `path` until it leads to something else. That name need not exist.
/// @param there  set to the status of what has that name; unchanged if absent
/// @throws io_error  more than 40 links, for example a cycle; or a link that `check_may_follow` refuses
[[nodiscard]] std::filesystem::path resolved(std::filesystem::path path, std::optional<struct stat>* there = nullptr);

/// 64 random bits from the system, for unique names.
/// @throws io_error  the system has no source of random bits
[[nodiscard]] std::uint64_t random_bits();

/// The ending of all hidden names: of locks and of temporary files.
inline constexpr std::string_view hidden_ending = ".ndk";

/// The hidden name that belongs to a file: `.NAME.ndk` in the same directory. If it would exceed 255 bytes, a hash
/// replaces NAME.
[[nodiscard]] std::filesystem::path beside(const std::filesystem::path& target,
                                           std::string_view ending = hidden_ending);

/// `.NAME.ndk.USER`, with the number of this user: where new content is written if the lock file `.NAME.ndk` belongs to
/// another user. This name is not a lock.
[[nodiscard]] std::filesystem::path beside_of_user(const std::filesystem::path& target);

/// Whether `path` is a regular file of this user, links not followed. For the superuser every regular file counts: a
/// replacement that it writes is given to the owner of the former file before it is complete.
[[nodiscard]] bool is_own_file(const std::filesystem::path& path) noexcept;

}  // namespace core

namespace detail {

/// Copies the extended attributes of a file that this user may read and set, without its access control list. Only
/// Linux has such attributes and lists here.
/// @throws io_error  the disk or the quota has too little space for them
void copy_extended_attributes(const std::filesystem::path& from, const file& to);

/// Gives a file the access control list of another, or none if that has none.
/// @throws io_error  the disk or the quota has too little space for it
void copy_access_list(const std::filesystem::path& from, const file& to);

/// Whether a file has an access control list beside its mode.
[[nodiscard]] bool has_access_list(const file& of) noexcept;

/// Checks that a symbolic link may be followed, by the rule of Linux (fs.protected_symlinks): in a sticky directory
/// that everybody may write, such as /tmp, only one's own links and those of the directory's owner. Other users could
/// lead a writer with more rights to any file of its own. The system applies its rule only to links that it follows
/// itself.
/// @throws io_error  it may not
void check_may_follow(const std::filesystem::path& link, const struct stat& status);

/// Whether the effective user of this process may write this file or directory; `errno` says why not.
[[nodiscard]] bool is_writable(const std::filesystem::path& path) noexcept;

/// Checks that two names do not lead to the same file.
/// @throws conflict_error  they do; the error names `to`
void check_other_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Whether `path` itself is a symbolic link.
[[nodiscard]] bool is_link(const std::filesystem::path& path) noexcept;

/// FNV-1a hash of a text in 64 bits. Not collision-resistant: whoever wants equal hashes can construct them.
/// @param before  the hash of the text before this one; the default is the offset basis of FNV
[[nodiscard]] std::uint64_t hash_of(std::string_view text, std::uint64_t before = 14695981039346656037U);

/// `.NAME.RANDOM.ndk`: a unique name for a file that gets its final name when it is complete.
[[nodiscard]] std::string temporary_name(std::string_view name);

/// The NAME in `.NAME.RANDOM.ndk`, without a copy; empty for any other name.
[[nodiscard]] std::string_view named_by_temporary(std::string_view temporary);

/// Identifies the file that has a name, so that a change or a replacement is noticed. Inode numbers are reused, so the
/// mode and the stamp are compared as well.
struct file_identity {
    dev_t device = 0;
    ino_t inode = 0;
    mode_t mode = 0;
    file_stamp stamp = {};
    friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// The identity of what has this name, links not followed; nullopt if absent or if the system cannot tell.
[[nodiscard]] std::optional<file_identity> identity_of(const std::filesystem::path& path) noexcept;

/// Whether a sticky directory (like /tmp) forbids this user to remove or rename the file. Only the superuser and the
/// owners of file and directory may do so there.
[[nodiscard]] bool is_kept_by_directory(const std::filesystem::path& path) noexcept;

/// What has this name, for errors: "a file of user 0", "a symbolic link of user 1000", "absent".
[[nodiscard]] std::string kind_and_owner(const std::filesystem::path& path);

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/os/names.ipp>
#endif
