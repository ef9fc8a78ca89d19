// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/core/archive.hpp>.
#pragma once

#include <ndkeep/npz/core/archive.hpp>

#include <algorithm>
#include <numeric>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The first few member names, for errors.
[[nodiscard]] NDKEEP_INLINE std::string some_names(const archive& from) {
    constexpr std::size_t enough = 8;
    std::string out;
    for (std::size_t i = 0; i < std::min(enough, from.entries().size()); ++i)
        out += (i == 0 ? "" : ", ") + ndkeep::quoted(without_npy(from.entries()[i].name));
    if (out.empty())
        return "a member, but there are none";
    return "one of " + out + (from.entries().size() > enough ? ", …" : "");
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE std::string_view without_npy(std::string_view name) {
    if (name.ends_with(npy_suffix))
        name.remove_suffix(npy_suffix.size());
    return name;
}

NDKEEP_INLINE archive::archive(file&& opened, const limits& limit)
    : file_(std::move(opened)), path_(file_.path()), stamp_(file_.stamp()),
      directory_(detail::read_zip_directory(bytes(), file_.size(), limit)) {
    sort();
}

NDKEEP_INLINE archive::archive(file&& opened, const file_stamp& stamp, zip_directory&& directory)
    : file_(std::move(opened)), path_(file_.path()), stamp_(stamp), directory_(std::move(directory)) {
    sort();
}

NDKEEP_INLINE archive::archive(std::span<const std::byte> memory, const limits& limit, std::filesystem::path called)
    : memory_(memory), path_(std::move(called)), directory_(detail::read_zip_directory(bytes(), memory.size(), limit)) {
    sort();
}

NDKEEP_INLINE byte_source archive::bytes() const {
    return file_.is_open() ? byte_source(file_) : byte_source(memory_, path_);
}

NDKEEP_INLINE const zip_entry* archive::find(std::string_view name) const {
    // The exact name first: "a" and "a.npy" may both be members.
    const zip_entry* const exact = find_exact(name);
    return exact != nullptr ? exact : find_exact(std::string(name) + std::string(npy_suffix));
}

NDKEEP_INLINE const zip_entry& archive::at(std::string_view name) const {
    if (const auto* const entry = find(name))
        return *entry;
    throw mismatch_error(
        {.file = path_, .field = member_field(name), .expected = detail::some_names(*this), .found = "missing"});
}

NDKEEP_INLINE const zip_entry* archive::find_exact(std::string_view name) const {
    // The last of several equal names: zip tools append a new version of a member after the old one.
    const auto after = std::upper_bound(by_name_.begin(), by_name_.end(), name, [&](auto wanted, std::size_t i) {
        return wanted < std::string_view(entries()[i].name);
    });
    if (after == by_name_.begin() || entries()[*(after - 1)].name != name)
        return nullptr;
    return &entries()[*(after - 1)];
}

NDKEEP_INLINE mapping archive::map(std::uint64_t offset, std::uint64_t length, map_mode mode) const {
    if (file_.is_open())
        return mapping::open(file_, offset, length, mode);
    const byte_source from = bytes();
    if (mode == map_mode::copy_on_write) {
        // The system can make private pages only of files, so memory is copied.
        auto copy = mapping::zeros(length, path_);
        from.read(offset, {copy.data(), copy.size()});
        return copy;
    }
    return mapping::of(memory_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length)), path_);
}

NDKEEP_INLINE std::uint64_t archive::address(std::uint64_t offset) const {
    // A file is mapped at page boundaries, so the offset alone decides alignment.
    return file_.is_open() ? offset : reinterpret_cast<std::uintptr_t>(memory_.data()) + offset;
}

NDKEEP_INLINE void archive::sort() {
    by_name_.resize(entries().size());
    std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
    // Equal names stay in the order of the directory, so that `find_exact` gets the last one. std::stable_sort of
    // libstdc++ 12 calls a deprecated function.
    std::sort(by_name_.begin(), by_name_.end(), [&](std::size_t a, std::size_t b) {
        const int order = entries()[a].name.compare(entries()[b].name);
        return order != 0 ? order < 0 : a < b;
    });
}

}  // namespace ndkeep::core
