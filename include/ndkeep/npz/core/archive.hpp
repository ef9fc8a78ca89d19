// SPDX-License-Identifier: BSD-3-Clause
// An npz archive opened: its directory, and the bytes of its members wherever they lie.
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
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The same error, about a member.
template <class Error>
[[nodiscard]] Error about_member(const Error& problem, std::string_view name) {
    error_parts parts = problem.parts();
    parts.field = member_field(name) + (parts.field.empty() ? "" : ": " + parts.field);
    return Error(std::move(parts));
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

/// What names of members that are arrays end with.
inline constexpr std::string_view npy_suffix = ".npy";
/// The member that holds the metadata.
inline constexpr std::string_view metadata_member = "metadata.json";

/// A member name as NumPy lists it: without one ".npy".
[[nodiscard]] std::string_view without_npy(std::string_view name);

/// Runs what reads a member, and names it in what is thrown.
template <class Read>
decltype(auto) in_member(std::string_view name, Read&& read) {
    try {
        return read();
    } catch (const format_error& problem) {
        if (problem.field().starts_with("member "))
            throw;
        throw detail::about_member(problem, name);
    } catch (const mismatch_error& problem) {
        if (problem.field().starts_with("member "))
            throw;
        throw detail::about_member(problem, name);
    }
}

/// A zip archive in a file or in memory, with its members by name.
class archive {
  public:
    archive() = default;
    /// @throws io_error, format_error
    archive(const std::filesystem::path& path, const limits& limit) : archive(file::open(path), limit) {}
    archive(file&& opened, const limits& limit);
    /// @param memory  referred to
    /// @param called  what errors name
    archive(std::span<const std::byte> memory, const limits& limit, std::filesystem::path called = {});

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const zip_directory& directory() const noexcept { return directory_; }
    [[nodiscard]] const std::vector<zip_entry>& entries() const noexcept { return directory_.entries; }
    [[nodiscard]] const file& source() const noexcept { return file_; }
    [[nodiscard]] byte_source bytes() const;

    /// By its exact name, or else with ".npy" behind it; of several with one name the last.
    [[nodiscard]] const zip_entry* find(std::string_view name) const;

    /// As `find`, but an error if absent.
    /// @throws mismatch_error  no such member
    [[nodiscard]] const zip_entry& at(std::string_view name) const;

    /// By its exact name only.
    [[nodiscard]] const zip_entry* find_exact(std::string_view name) const;

    /// Whether a later member has its name.
    [[nodiscard]] bool is_shadowed(const zip_entry& entry) const { return find_exact(entry.name) != &entry; }

    /// A range of the archive as memory.
    [[nodiscard]] mapping map(std::uint64_t offset, std::uint64_t length, map_mode mode) const;

    /// Where a range begins in memory if it is mapped, as far as alignment goes.
    [[nodiscard]] std::uint64_t address(std::uint64_t offset) const;

  private:
    void sort();

    file file_;
    std::span<const std::byte> memory_;
    std::filesystem::path path_;
    zip_directory directory_;
    std::vector<std::size_t> by_name_;
};

}  // namespace ndkeep::core

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/archive.ipp>
#endif
