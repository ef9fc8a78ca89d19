// SPDX-License-Identifier: BSD-3-Clause
// A common interface to read bytes at an offset: from a file, from memory, or from a decoded stream.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <span>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::core {

/// Reads bytes at an offset. Refers to the file, the memory and the path that it was made from, which must outlive it.
class byte_source {
  public:
    using reader = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;

    byte_source(const file& from)  // NOLINT: implicit
        : read_([&from](std::uint64_t offset, std::span<std::byte> out) { from.read(offset, out); }),
          path_(&from.path()) {}

    /// @param called  the path that errors show; a reference to it is kept
    byte_source(std::span<const std::byte> memory, const std::filesystem::path& called)
        : read_([memory, &called](std::uint64_t offset, std::span<std::byte> out) {
              // By subtraction: offset + size could overflow, because both may come from a damaged file.
              const auto there = memory.size() - std::min<std::uint64_t>(offset, memory.size());
              if (out.size() > there)
                  throw format_error({.file = called,
                                      .field = "length",
                                      .expected = "at least " + counted(offset + out.size(), "byte"),
                                      .found = counted(memory.size(), "byte"),
                                      .hint = "the bytes are cut short"});
              if (!out.empty())
                  std::memcpy(out.data(), memory.data() + offset, out.size());
          }),
          path_(&called) {}

    /// @param read    must fill all of `out`, or throw
    /// @param called  the path that errors show; a reference to it is kept
    byte_source(reader read, const std::filesystem::path& called) : read_(std::move(read)), path_(&called) {}

    /// Fills `out` with the bytes from `offset` on.
    /// @throws format_error  there are too few bytes
    /// @throws io_error      the file cannot be read
    void read(std::uint64_t offset, std::span<std::byte> out) const { read_(offset, out); }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return *path_; }

  private:
    reader read_;
    const std::filesystem::path* path_;
};

}  // namespace ndkeep::core
