// SPDX-License-Identifier: BSD-3-Clause
// An npz archive opened: its directory, and the bytes of its members wherever they lie.
#pragma once

#include <ndkeep/array/in_place.hpp>
#include <ndkeep/bytes/deflate.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/directory.hpp>

namespace ndkeep::detail {

inline constexpr std::string_view npy_suffix = ".npy";
inline constexpr std::string_view metadata_member = "metadata.json";

/// A member name as NumPy lists it: without one ".npy".
[[nodiscard]] inline std::string_view without_npy(std::string_view name) {
    if (name.ends_with(npy_suffix))
        name.remove_suffix(npy_suffix.size());
    return name;
}

/// The same error, about a member.
template <class Error>
[[nodiscard]] Error about_member(const Error& problem, std::string_view name) {
    error_parts parts = problem.parts();
    parts.field = member_field(name) + (parts.field.empty() ? "" : ": " + parts.field);
    return Error(std::move(parts));
}

/// Runs what reads a member, and names it in what is thrown.
template <class Read>
decltype(auto) in_member(std::string_view name, Read&& read) {
    try {
        return read();
    } catch (const format_error& problem) {
        if (problem.field().starts_with("member "))
            throw;
        throw about_member(problem, name);
    } catch (const mismatch_error& problem) {
        if (problem.field().starts_with("member "))
            throw;
        throw about_member(problem, name);
    }
}

/// A zip archive in a file or in memory, with its members by name.
class archive {
  public:
    archive() = default;
    /// @throws io_error, format_error
    archive(const std::filesystem::path& path, const limits& limit) : archive(file::open(path), limit) {}
    archive(file&& opened, const limits& limit)
        : file_(std::move(opened)), path_(file_.path()), directory_(read_zip_directory(bytes(), file_.size(), limit)) {
        sort();
    }
    /// @param memory  referred to
    /// @param called  what errors name
    archive(std::span<const std::byte> memory, const limits& limit, std::filesystem::path called = {})
        : memory_(memory), path_(std::move(called)), directory_(read_zip_directory(bytes(), memory.size(), limit)) {
        sort();
    }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const zip_directory& directory() const noexcept { return directory_; }
    [[nodiscard]] const std::vector<zip_entry>& entries() const noexcept { return directory_.entries; }
    [[nodiscard]] const file& source() const noexcept { return file_; }
    [[nodiscard]] byte_source bytes() const {
        return file_.is_open() ? byte_source(file_) : byte_source(memory_, path_);
    }

    /// By its exact name, or else with ".npy" behind it; of several with one name the last.
    [[nodiscard]] const zip_entry* find(std::string_view name) const {
        const zip_entry* const exact = find_exact(name);
        return exact != nullptr ? exact : find_exact(std::string(name) + std::string(npy_suffix));
    }

    [[nodiscard]] const zip_entry* find_exact(std::string_view name) const {
        const auto after = std::upper_bound(by_name_.begin(), by_name_.end(), name, [&](auto wanted, std::size_t i) {
            return wanted < std::string_view(entries()[i].name);
        });
        if (after == by_name_.begin() || entries()[*(after - 1)].name != name)
            return nullptr;
        return &entries()[*(after - 1)];
    }

    /// Whether a later member has its name.
    [[nodiscard]] bool is_shadowed(const zip_entry& entry) const { return find_exact(entry.name) != &entry; }

    /// A range of the archive as memory.
    [[nodiscard]] mapping map(std::uint64_t offset, std::uint64_t length, map_mode mode) const {
        if (file_.is_open())
            return mapping::open(file_, offset, length, mode);
        const byte_source from = bytes();
        if (mode == map_mode::copy_on_write) {
            auto copy = mapping::zeros(length, path_);
            from.read(offset, {copy.data(), copy.size()});
            return copy;
        }
        return mapping::of(memory_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)), path_);
    }

    /// Where a range begins in memory if it is mapped, as far as alignment goes.
    [[nodiscard]] std::uint64_t address(std::uint64_t offset) const {
        return file_.is_open() ? offset : reinterpret_cast<std::uintptr_t>(memory_.data()) + offset;
    }

  private:
    void sort() {
        by_name_.resize(entries().size());
        std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
        std::stable_sort(by_name_.begin(), by_name_.end(),
                         [&](std::size_t a, std::size_t b) { return entries()[a].name < entries()[b].name; });
    }

    file file_;
    std::span<const std::byte> memory_;
    std::filesystem::path path_;
    zip_directory directory_;
    std::vector<std::size_t> by_name_;
};

}  // namespace ndkeep::detail
