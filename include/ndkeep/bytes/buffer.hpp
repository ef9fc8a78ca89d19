// SPDX-License-Identifier: BSD-3-Clause
// Memory for elements that are about to be written.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace ndkeep::inline NDKEEP_ABI::core {

/// Bytes aligned for every element type, not initialised.
class buffer {
  public:
    buffer() = default;
    explicit buffer(std::size_t size) : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}

    [[nodiscard]] std::byte* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {bytes_.get(), size_}; }

  private:
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t size_ = 0;
};

}  // namespace ndkeep::core
