// SPDX-License-Identifier: BSD-3-Clause
// The bytes of a struct that belong to no field.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Where padding lies in each element. Made for dtypes of C++ structs, whose sub-arrays are as short as the structs.
class padding {
  public:
    padding() = default;
    explicit padding(const dtype& type);

    [[nodiscard]] bool empty() const noexcept { return gaps_.empty(); }

    void clear(std::byte* elements, std::size_t count) const noexcept;

  private:
    struct gap {
        std::size_t offset, length;
    };

    void add(const dtype& type, std::size_t at);

    std::size_t item_ = 0;
    std::vector<gap> gaps_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/element/padding.ipp>
#endif
