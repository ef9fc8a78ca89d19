// SPDX-License-Identifier: BSD-3-Clause
// conversion of elements between dtypes that differ only in byte order, field order, packing and padding.
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

/// Reverses the bytes of `count` numbers of `width` bytes each. `to` may equal `from`.
void swap_bytes(std::byte* to, const std::byte* from, std::size_t count, std::size_t width) noexcept;

/// Bytes that are reversed together: a number, half of a complex number, one character of 'U' text. 1 for types
/// without a byte order, such as bfloat16, 'S' and 'V'.
[[nodiscard]] std::size_t swap_width(const dtype& type) noexcept;

/// Whether the time units of two dtypes are equally long, such as 1 h and 60 m. Years and months equal no number of
/// days.
[[nodiscard]] bool same_time_unit(const dtype& a, const dtype& b);

}  // namespace core

/// Converts elements of one dtype to another dtype of the same meaning: equal kinds, sizes and time units, and in
/// structs equal field names and sub-array shapes. The byte order, the order of the fields, their packing and padding
/// may differ. A bfloat16 has the meaning of two bytes. Bytes ('V') also convert to unsigned integers of their size, as
/// they are: so the elements of a dtype that only another program knows can be read.
class conversion {
  public:
    /// @param file  named in errors, never opened
    /// @param hint  of the error: what the caller can do if the dtypes disagree
    /// @throws mismatch_error  the dtypes disagree: names the first difference, `from` as found and `to` as expected
    conversion(const dtype& from, const dtype& to, const std::filesystem::path& file = {}, std::string_view hint = {});

    /// The identity of one dtype, which copies elements with their padding.
    explicit conversion(const dtype& type)
        : moves_{{0, 0, static_cast<std::size_t>(type.size()), 1}}, from_size_(static_cast<std::size_t>(type.size())),
          to_size_(from_size_) {}

    /// Whether every byte of a field keeps its place, so that elements can be copied or mapped without conversion.
    [[nodiscard]] bool is_identity() const noexcept;
    /// Whether every field keeps its place, so that only its byte order can differ.
    [[nodiscard]] bool keeps_places() const noexcept;

    /// Converts `count` contiguous elements. The ranges must not overlap, or be the same if `keeps_places()`. Padding
    /// becomes zeros, unless the ranges are the same or this is the identity of one dtype.
    void run(std::byte* to, const std::byte* from, std::size_t count) const;

    [[nodiscard]] std::size_t from_size() const noexcept { return from_size_; }
    [[nodiscard]] std::size_t to_size() const noexcept { return to_size_; }

  private:
    struct move {
        std::size_t from, to, bytes;
        std::size_t width;  // bytes that are reversed together; 1: none
    };

    [[noreturn]] static void refuse(const dtype& from, const dtype& to, std::string field,
                                    const std::filesystem::path& file, std::string_view hint);

    /// Adds the moves of one element, or of one field and all fields in it. Offsets are in bytes from the outermost
    /// element; `path` is the field's name with those of its outer fields, for errors.
    void add(const dtype& from, const dtype& to, std::size_t from_at, std::size_t to_at, const std::string& path,
             const std::filesystem::path& file, std::string_view hint);

    /// Joins moves that are adjacent in both dtypes. They are in the order of their targets, because fields are.
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
