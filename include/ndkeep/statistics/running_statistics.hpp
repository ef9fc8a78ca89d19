// SPDX-License-Identifier: BSD-3-Clause
// running_statistics: statistics of elements that arrive in pieces.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Statistics of elements that arrive in pieces, in any byte order. A struct is summarised field by field, a sub-array
/// over all its values. Each value is read from memory once: every block has its mean and deviation, and these are
/// merged.
class running_statistics {
  public:
    /// Of elements of this dtype, none so far.
    explicit running_statistics(const dtype& type);

    /// Adds elements.
    /// @param elements  `count` contiguous elements, which need not be aligned
    void update(const std::byte* elements, std::size_t count);

    /// The number of statistics that are kept: those of the elements, and in a struct those of every field.
    [[nodiscard]] std::size_t width() const;

    /// Adds the statistics of the elements that follow.
    /// @param later  of the same dtype
    void append(const running_statistics& later);

    /// The statistics of the elements so far.
    [[nodiscard]] statistics values() const;

  private:
    void update_fields(const std::byte* elements, std::size_t count);

    /// @param step  bytes from one element to the next
    void update_values(const std::byte* elements, std::ptrdiff_t step, std::size_t count);

    dtype type_;
    statistics found_;
    std::vector<running_statistics> inner_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/statistics/running_statistics.ipp>
#endif
