// SPDX-License-Identifier: BSD-3-Clause
// Uninitialised memory for elements, and the error if there is too little.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <span>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI::core {

/// A block of bytes on the heap, aligned for every element type and not initialised. Zeroing it would cost a pass over
/// memory that is overwritten anyway.
class buffer {
  public:
    buffer() = default;
    /// @param size  in bytes
    explicit buffer(std::size_t size) : bytes_(new std::byte[size]), size_(size) {}

    [[nodiscard]] std::byte* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {bytes_.get(), size_}; }

  private:
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t size_ = 0;
};

/// Calls `make`, which allocates memory for content of a file, and returns what it returns.
///
/// Memory is requested only for as much as the file holds, or its compressed data can expand to. That can still be more
/// than the system has.
/// @param nbytes  the size of that memory, for the error
/// @throws io_error  `std::errc::not_enough_memory`
template <class Make>
[[nodiscard]] auto allocated_for(const std::filesystem::path& file, std::uint64_t nbytes, Make&& make) {
    try {
        return make();
    } catch (const std::bad_alloc&) {
        throw io_error(file, "cannot allocate " + counted(nbytes, "byte"),
                       std::make_error_code(std::errc::not_enough_memory));
    }
}

}  // namespace ndkeep::core
