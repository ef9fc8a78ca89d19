// SPDX-License-Identifier: BSD-3-Clause
// Standard input as a file, for commands that read files: "-" on the command line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace tool {

/// A copy of standard input in the folder for temporary files, which must have room for it. It is removed at
/// destruction, and if SIGPIPE, SIGTERM or SIGHUP ends the process. One exists at a time. `shown` prints "-" for its
/// path.
class input_copy {
  public:
    /// @param begin  bytes of standard input that have been read already
    /// @throws ndkeep::io_error  standard input cannot be read, no folder for temporary files, no space, or Ctrl-C
    explicit input_copy(std::span<const std::byte> begin = {});
    input_copy(const input_copy&) = delete;
    input_copy& operator=(const input_copy&) = delete;
    ~input_copy();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    class removal;

    void read(std::span<const std::byte> begin);

    std::filesystem::path path_;
    std::unique_ptr<removal> removal_;
};

/// Reads some bytes of standard input; 0 at its end.
/// @throws ndkeep::io_error  it cannot be read, or Ctrl-C
[[nodiscard]] std::size_t read_input(std::span<std::byte> out);

}  // namespace tool
