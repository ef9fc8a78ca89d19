// SPDX-License-Identifier: BSD-3-Clause
// Elements of one dtype turned into another that means the same: byte order, field order, packing, padding.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

/// Reverses the bytes of `count` numbers of `width` bytes each. `to` may be `from`.
void swap_bytes(std::byte* to, const std::byte* from, std::size_t count, std::size_t width) noexcept;

/// Bytes that are swapped together: half a complex number, one character of text.
[[nodiscard]] std::size_t swap_width(const dtype& type) noexcept;

/// A unit of time in terms of a finer one; months and years never become days.
[[nodiscard]] bool same_time_unit(const dtype& a, const dtype& b);

}  // namespace core

/// The way from elements of one dtype to another with the same meaning: same kinds and sizes, and in structs the same
/// field names, whatever the byte order, the order of the fields, their packing and padding.
class conversion {
  public:
    /// @param file  named in errors, never opened
    /// @param hint  what the caller can do when the types disagree
    /// @throws mismatch_error  names the first difference: `found` is `from`, `expected` is `to`
    conversion(const dtype& from, const dtype& to, const std::filesystem::path& file = {}, std::string_view hint = {});

    /// Elements as they are.
    explicit conversion(const dtype& type)
        : moves_{{0, 0, static_cast<std::size_t>(type.size()), 1}}, from_size_(static_cast<std::size_t>(type.size())),
          to_size_(from_size_) {}

    /// Whether every byte keeps its place, so that copying or mapping is the whole conversion.
    [[nodiscard]] bool is_identity() const noexcept;
    /// Whether fields keep their places, so that only a byte order can differ.
    [[nodiscard]] bool keeps_places() const noexcept;

    /// Converts `count` elements that lie one behind the other. Padding of the result is zeros. The ranges are apart,
    /// or the same if `keeps_places()`.
    void run(std::byte* to, const std::byte* from, std::size_t count) const;

    [[nodiscard]] std::size_t from_size() const noexcept { return from_size_; }
    [[nodiscard]] std::size_t to_size() const noexcept { return to_size_; }

  private:
    struct move {
        std::size_t from, to, bytes;
        std::size_t width;  // of the numbers to be reversed; 1: nothing is
    };

    [[noreturn]] static void refuse(const dtype& from, const dtype& to, std::string field,
                                    const std::filesystem::path& file, std::string_view hint);

    void add(const dtype& from, const dtype& to, std::size_t from_at, std::size_t to_at, const std::string& path,
             const std::filesystem::path& file, std::string_view hint);

    /// Neighbours that stay neighbours move together. The moves are in the order of their targets, as fields are.
    void merge();

    std::vector<move> moves_;
    std::size_t from_size_;
    std::size_t to_size_;
    std::size_t covered_ = 0;
    bool has_gaps_ = false;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/element/convert.ipp>
#endif
