// SPDX-License-Identifier: BSD-3-Clause
// An open npz archive, in a file or in memory: its directory, and access to its bytes.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A copy of an error that also names the member.
template <class Error>
[[nodiscard]] Error about_member(const Error& problem, std::string_view name) {
    error_parts parts = problem.parts();
    parts.field = member_field(name) + (parts.field.empty() ? "" : ": " + parts.field);
    return Error(std::move(parts));
}

/// A copy of an error that also says that the archive has changed.
template <class Error>
[[nodiscard]] Error about_change(const Error& problem) {
    error_parts parts = problem.parts();
    constexpr std::string_view cause = "the archive has changed since it was opened";
    if (!parts.hint.ends_with(cause))  // else an inner call has added it
        parts.hint += (parts.hint.empty() ? "" : "; ") + std::string(cause);
    return Error(std::move(parts));
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

/// The suffix of the names of array members.
inline constexpr std::string_view npy_suffix = ".npy";
/// The member that holds the metadata.
inline constexpr std::string_view metadata_member = "metadata.json";

/// A member name as NumPy lists it: without one trailing ".npy".
[[nodiscard]] std::string_view without_npy(std::string_view name);

/// Calls `read`, and adds the member's name to every format_error and mismatch_error that it throws.
template <class Read>
decltype(auto) in_member(std::string_view name, Read&& read) {
    try {
        return read();
    } catch (const format_error& problem) {
        // An inner call has named the member already.
        if (problem.field().starts_with("member "))
            throw;
        throw detail::about_member(problem, name);
    } catch (const mismatch_error& problem) {
        if (problem.field().starts_with("member "))
            throw;
        throw detail::about_member(problem, name);
    }
}

/// A zip archive in a file or in memory, whose members can be found by name.
class archive {
  public:
    archive() = default;
    /// @throws io_error, format_error
    archive(const std::filesystem::path& path, const limits& limit) : archive(file::open(path), limit) {}
    archive(file&& opened, const limits& limit);
    /// Takes a directory that was found in another way.
    /// @param stamp  of the file before the search
    archive(file&& opened, const file_stamp& stamp, zip_directory&& directory);
    /// @param memory  must outlive the archive and everything mapped from it
    /// @param called  named in errors
    archive(std::span<const std::byte> memory, const limits& limit, std::filesystem::path called = {});

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const zip_directory& directory() const noexcept { return directory_; }
    [[nodiscard]] const std::vector<zip_entry>& entries() const noexcept { return directory_.entries; }
    [[nodiscard]] const file& source() const noexcept { return file_; }
    /// Whether another program has changed the file since it was opened, as far as its size and time tell. Always false
    /// for an archive in memory.
    [[nodiscard]] bool has_changed() const { return file_.is_open() && file_.stamp() != stamp_; }
    /// The bytes of the archive; refers to it.
    [[nodiscard]] byte_source bytes() const;

    /// Finds a member by its exact name, or else by the name with ".npy" appended; nullptr if absent. If several have
    /// the same name, the last one is found.
    [[nodiscard]] const zip_entry* find(std::string_view name) const;

    /// Finds a member as `find` does.
    /// @throws mismatch_error  no such member
    [[nodiscard]] const zip_entry& at(std::string_view name) const;

    /// Finds a member by its exact name only; nullptr if absent.
    [[nodiscard]] const zip_entry* find_exact(std::string_view name) const;

    /// Whether a later member has the same name.
    [[nodiscard]] bool is_shadowed(const zip_entry& entry) const { return find_exact(entry.name) != &entry; }

    /// Maps a range of the archive. For `copy_on_write`, an archive in memory is copied.
    [[nodiscard]] mapping map(std::uint64_t offset, std::uint64_t length, map_mode mode) const;

    /// A number with the alignment that the byte at `offset` has once it is mapped.
    [[nodiscard]] std::uint64_t address(std::uint64_t offset) const;

  private:
    void sort();

    file file_;
    std::span<const std::byte> memory_;
    std::filesystem::path path_;
    file_stamp stamp_;
    zip_directory directory_;
    std::vector<std::size_t> by_name_;
};

/// Calls `read`. If the archive has changed since it was opened, every format_error and checksum_error of `read` says
/// so: the directory in memory is then that of other bytes.
template <class Read>
decltype(auto) while_unchanged(const archive& from, Read&& read) {
    try {
        return read();
    } catch (const format_error& problem) {
        if (from.has_changed())
            throw detail::about_change(problem);
        throw;
    } catch (const checksum_error& problem) {
        if (from.has_changed())
            throw detail::about_change(problem);
        throw;
    }
}

}  // namespace ndkeep::core

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/archive.ipp>
#endif
