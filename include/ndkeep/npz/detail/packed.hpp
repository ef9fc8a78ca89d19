// SPDX-License-Identifier: BSD-3-Clause
// An archive of stored members in memory: not copied together, but as the pieces that it consists of.
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

class packed_archive {
  public:
    using piece = std::span<const std::byte>;

    /// @param pieces  of the array's data, in its written order; referred to
    void add_array(std::string_view name, const array_info& info, std::span<const piece> pieces);
    /// An array that lies in memory is referred to, a temporary one kept.
    void add_array(std::string_view name, const array_view& array);
    void add_text(std::string_view name, std::string text);

    /// All of it, once every member has been added.
    [[nodiscard]] std::span<const piece> finish();

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    /// Text that stays where it is.
    [[nodiscard]] piece keep(std::string text) { return bytes_of(texts_.emplace_back(std::move(text))); }

    void append(piece bytes);

    void add(std::string_view name, std::span<const piece> content);

    std::deque<std::string> texts_;
    std::vector<array_view> views_;
    std::vector<piece> pieces_;
    std::vector<zip_entry> entries_;
    std::uint64_t size_ = 0;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/packed.ipp>
#endif
