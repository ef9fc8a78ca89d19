// SPDX-License-Identifier: BSD-3-Clause
// An npz archive of stored members in memory, as a list of pieces that are not copied together.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Builds an archive in memory as a list of pieces. Pieces that belong to the caller must outlive it.
class packed_archive {
  public:
    using piece = std::span<const std::byte>;

    /// Adds an array whose data is the caller's `pieces`, in the order that `info` states.
    void add_array(std::string_view name, const array_info& info, std::span<const piece> pieces);
    /// Adds an array. Contiguous data is referred to; other elements are computed and kept. A temporary array is kept.
    void add_array(std::string_view name, const array_view& array);
    void add_text(std::string_view name, std::string text);

    /// Appends the directory and returns all pieces. Call it once, after every member has been added.
    [[nodiscard]] std::span<const piece> finish();

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    /// Keeps a text at a fixed address; a deque does not move its elements.
    [[nodiscard]] piece keep(std::string text) { return bytes_of(texts_.emplace_back(std::move(text))); }

    void append(piece bytes);

    void add(std::string_view name, std::span<const piece> content);

    std::deque<std::string> texts_;
    std::vector<array_view> views_;  // keep temporary arrays that pieces refer to
    std::vector<piece> pieces_;
    std::vector<zip_entry> entries_;
    std::uint64_t size_ = 0;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/packed.ipp>
#endif
