// SPDX-License-Identifier: BSD-3-Clause
// Uninitialised memory for elements.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace ndkeep::inline NDKEEP_ABI::core {

/// A block of bytes on the heap, aligned for every element type and not initialised. Zeroing it would cost a pass over
/// memory that is overwritten anyway.
class buffer {
  public:
    buffer() = default;
    /// @param size  in bytes
    explicit buffer(std::size_t size) : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}

    [[nodiscard]] std::byte* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {bytes_.get(), size_}; }

  private:
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t size_ = 0;
};

}  // namespace ndkeep::core
