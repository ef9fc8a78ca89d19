// SPDX-License-Identifier: BSD-3-Clause
// Where bytes are read from: a file, memory, or a stream that is decoded on the way.
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

/// Bytes that are read by their offset. Refers to what holds them, and does not outlive it.
class byte_source {
  public:
    using reader = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;

    byte_source(const file& from)  // NOLINT: implicit
        : read_([&from](std::uint64_t offset, std::span<std::byte> out) { from.read(offset, out); }),
          path_(&from.path()) {}

    /// @param called  named in errors
    byte_source(std::span<const std::byte> memory, const std::filesystem::path& called)
        : read_([memory, &called](std::uint64_t offset, std::span<std::byte> out) {
              const auto there = memory.size() - std::min<std::uint64_t>(offset, memory.size());
              if (out.size() > there)
                  throw format_error({.file = called,
                                      .field = "length",
                                      .expected = "at least " + counted(offset + out.size(), "byte"),
                                      .found = counted(memory.size(), "byte"),
                                      .hint = "it is cut short"});
              if (!out.empty())
                  std::memcpy(out.data(), memory.data() + offset, out.size());
          }),
          path_(&called) {}

    /// @param read  fills `out` whole or throws
    byte_source(reader read, const std::filesystem::path& called) : read_(std::move(read)), path_(&called) {}

    /// Fills `out`, or throws.
    void read(std::uint64_t offset, std::span<std::byte> out) const { read_(offset, out); }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return *path_; }

  private:
    reader read_;
    const std::filesystem::path* path_;
};

}  // namespace ndkeep::core
