// SPDX-License-Identifier: BSD-3-Clause
// padding: the bytes of a struct that belong to no field.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The offset and length of each gap between the fields of an element. Meant for dtypes of C++ structs only: it lists
/// the gaps of every item of a sub-array, and only the size of a C++ struct keeps their number small.
class padding {
  public:
    padding() = default;
    explicit padding(const dtype& type);

    [[nodiscard]] bool empty() const noexcept { return gaps_.empty(); }

    /// Sets the padding of `count` contiguous elements to zeros.
    void clear(std::byte* elements, std::size_t count) const noexcept;

  private:
    struct gap {
        std::size_t offset, length;
    };

    /// Adds the gaps of a struct that begins at byte `at` of the element.
    void add(const dtype& type, std::size_t at);

    std::size_t item_ = 0;
    std::vector<gap> gaps_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/element/padding.ipp>
#endif
