// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/names.hpp>.
#pragma once

#include <ndkeep/os/names.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>

#include <fcntl.h>
#if defined(__linux__)
#include <sys/xattr.h>
#endif
#include <unistd.h>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE bool is_writable(const std::filesystem::path& path) noexcept {
    return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

NDKEEP_INLINE void check_other_file(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::error_code ignored;  // an absent file is another one
    if (std::filesystem::equivalent(from, to, ignored))
        throw conflict_error(
            {.file = to, .field = "target", .expected = "another file than the source", .found = "the same file"});
}

NDKEEP_INLINE bool is_link(const std::filesystem::path& path) noexcept {
    struct stat status = {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

#if defined(__linux__)
/// The value of an extended attribute; nullopt if absent or not readable for this user.
[[nodiscard]] NDKEEP_INLINE std::optional<std::string> extended_attribute(const std::filesystem::path& path,
                                                                          const char* name) {
    // The largest value of Linux. A size is not asked for first: the value may grow in between.
    std::string value(std::size_t{64} << 10, '\0');
    const ::ssize_t size = ::getxattr(path.c_str(), name, value.data(), value.size());
    if (size < 0)
        return std::nullopt;
    value.resize(static_cast<std::size_t>(size));
    return value;
}

NDKEEP_INLINE void set_attribute(const file& to, const char* name, const std::string& value) {
    // Some attributes only the superuser may set, and some file systems have only some of them.
    if (::fsetxattr(to.descriptor(), name, value.data(), value.size(), 0) != 0 && (errno == ENOSPC || errno == EDQUOT))
        to.fail("cannot copy the extended attributes of");
}

inline constexpr const char* access_list = "system.posix_acl_access";

NDKEEP_INLINE void copy_extended_attributes(const std::filesystem::path& from, const file& to) {
    const ::ssize_t length = ::listxattr(from.c_str(), nullptr, 0);
    if (length <= 0)
        return;  // none, or the file system has no attributes
    std::string names(static_cast<std::size_t>(length), '\0');
    // A list that has grown in between is not copied.
    names.resize(
        static_cast<std::size_t>(std::max<::ssize_t>(0, ::listxattr(from.c_str(), names.data(), names.size()))));
    for (std::size_t at = 0; at < names.size();) {
        const char* const name = names.c_str() + at;
        at += std::string_view(name).size() + 1;
        if (name != std::string_view(access_list))
            if (const auto value = extended_attribute(from, name))
                set_attribute(to, name, *value);
    }
}

NDKEEP_INLINE void copy_access_list(const std::filesystem::path& from, const file& to) {
    if (const auto value = extended_attribute(from, access_list))
        set_attribute(to, access_list, *value);
    else
        ::fremovexattr(to.descriptor(), access_list);  // one that the directory gave to the new file
}

NDKEEP_INLINE bool has_access_list(const file& of) noexcept {
    return ::fgetxattr(of.descriptor(), access_list, nullptr, 0) > 0;
}
#else
NDKEEP_INLINE void copy_extended_attributes(const std::filesystem::path&, const file&) {}
NDKEEP_INLINE void copy_access_list(const std::filesystem::path&, const file&) {}
NDKEEP_INLINE bool has_access_list(const file&) noexcept { return false; }
#endif

NDKEEP_INLINE std::uint64_t hash_of(std::string_view text, std::uint64_t before) {
    // Unsigned char: char is signed on some machines, and the hash is stored in names on disk.
    for (const char c : text)
        before = (before ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return before;
}

NDKEEP_INLINE std::string temporary_name(std::string_view name) {
    return '.' + std::string(name) + '.' + hexadecimal(random_bits()) + std::string(hidden_ending);
}

NDKEEP_INLINE std::string_view named_by_temporary(std::string_view temporary) {
    constexpr std::size_t digits = 16;
    // Longer than the dots, the digits and the ending: NAME is not empty.
    if (temporary.size() <= 2 + digits + hidden_ending.size() || temporary.front() != '.' ||
        !temporary.ends_with(hidden_ending))
        return {};
    temporary.remove_prefix(1);
    temporary.remove_suffix(hidden_ending.size());
    const auto random = temporary.substr(temporary.size() - digits);
    temporary.remove_suffix(digits);
    if (temporary.back() != '.' || !are_hex_digits(random))
        return {};
    temporary.remove_suffix(1);
    return temporary;
}

NDKEEP_INLINE std::optional<file_identity> identity_of(const std::filesystem::path& path) noexcept {
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0)
        return std::nullopt;
    return file_identity{status.st_dev, status.st_ino, status.st_mode, stamp_of(status)};
}

NDKEEP_INLINE bool is_kept_by_directory(const std::filesystem::path& path) noexcept {
    struct stat status = {}, above = {};
    const auto parent = path.parent_path();
    const auto user = ::geteuid();
    return user != 0 && ::lstat(path.c_str(), &status) == 0 &&
           ::stat(parent.empty() ? "." : parent.c_str(), &above) == 0 && (above.st_mode & S_ISVTX) != 0 &&
           status.st_uid != user && above.st_uid != user;
}

NDKEEP_INLINE void check_may_follow(const std::filesystem::path& link, const struct stat& status) {
    struct stat above = {};
    const auto parent = link.parent_path();
    constexpr mode_t shared = S_ISVTX | S_IWOTH;
    if (::stat(parent.empty() ? "." : parent.c_str(), &above) == 0 && (above.st_mode & shared) == shared &&
        status.st_uid != ::geteuid() && status.st_uid != above.st_uid)
        throw io_error(link,
                       "cannot follow: it is a symbolic link of user " + std::to_string(status.st_uid) +
                           " in a directory where everybody may create files",
                       std::make_error_code(std::errc::permission_denied));
}

NDKEEP_INLINE std::string kind_and_owner(const std::filesystem::path& path) {
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0)
        return "absent";
    const auto kind = status.st_mode & S_IFMT;
    const char* const words = kind == S_IFREG   ? "a file"
                              : kind == S_IFDIR ? "a directory"
                              : kind == S_IFLNK ? "a symbolic link"
                              : kind == S_IFIFO ? "a pipe"
                                                : "a special file";
    return std::string(words) + " of user " + std::to_string(status.st_uid);
}

}  // namespace detail

namespace core {

NDKEEP_INLINE std::filesystem::path resolved(std::filesystem::path path, std::optional<struct stat>* there) {
    // Step by step, because std::filesystem::canonical fails if the file does not exist yet.
    constexpr int most_links = 40;  // the limit of Linux
    for (int links = 0; links <= most_links; ++links) {
        struct stat status = {};
        const bool exists = ::lstat(path.c_str(), &status) == 0;
        if (!exists || !S_ISLNK(status.st_mode)) {
            if (there != nullptr && exists)
                *there = status;
            return path;
        }
        detail::check_may_follow(path, status);
        std::error_code problem;
        auto target = std::filesystem::read_symlink(path, problem);
        // The link was removed or replaced meanwhile: look at the name again.
        if (problem == std::errc::no_such_file_or_directory || problem == std::errc::invalid_argument)
            continue;
        if (problem)
            throw io_error(path, "cannot follow", problem);
        // A relative link is relative to the directory of the link, not to that of the process.
        path = target.is_absolute() ? target : path.parent_path() / target;
    }
    throw io_error(path, "cannot follow", std::make_error_code(std::errc::too_many_symbolic_link_levels));
}

NDKEEP_INLINE std::uint64_t random_bits() {
    // From the kernel and not from a generator in memory: a forked child would continue the parent's sequence and draw
    // the same names.
    std::uint64_t bits = 0;
    if (::getentropy(&bits, sizeof bits) != 0)
        throw io_error({}, "cannot draw random bits", last_error());
    return bits;
}

NDKEEP_INLINE std::filesystem::path beside(const std::filesystem::path& target, std::string_view ending) {
    constexpr std::size_t longest_name = 255;  // in bytes: NAME_MAX of the usual file systems
    const std::string& whole = target.native();
    const std::size_t begin = whole.rfind('/') + 1;  // npos + 1 == 0: no slash
    const bool is_long = whole.size() - begin + 1 + ending.size() > longest_name;
    std::string name;
    name.reserve(whole.size() + 1 + ending.size());
    name.append(whole, 0, begin).append(1, '.');
    if (is_long)
        name.append(hexadecimal(detail::hash_of(std::string_view(whole).substr(begin))));
    else
        name.append(whole, begin);
    return name.append(ending);
}

NDKEEP_INLINE std::filesystem::path beside_of_user(const std::filesystem::path& target) {
    return beside(target, std::string(hidden_ending) + '.' + std::to_string(::geteuid()));
}

NDKEEP_INLINE bool is_own_file(const std::filesystem::path& path) noexcept {
    struct stat status = {};
    const auto user = ::geteuid();
    return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && (status.st_uid == user || user == 0);
}

}  // namespace core

}  // namespace ndkeep
