// SPDX-License-Identifier: BSD-3-Clause
// Helpers of the fuzz targets: demands that abort, calls that may only fail with an ndkeep error, and a folder in
// memory.
#pragma once

#include <ndkeep/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>  // mkdtemp, on some systems

namespace fuzz {

/// Stops the fuzzer, which keeps the input.
inline void demand(bool holds) {
    if (!holds)
        std::abort();
}

/// Whether the call finishes. Only ndkeep's errors are accepted as a failure.
template <class Call>
[[nodiscard]] bool succeeds(Call&& call) {
    try {
        call();
        return true;
    } catch (const ndkeep::error&) {
        return false;
    }
}

[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}
[[nodiscard]] inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

/// Takes the part of an input up to the next line that says only "====". The last part ends with the input.
[[nodiscard]] inline std::string_view take_part(std::string_view& rest) {
    constexpr std::string_view between = "\n====\n";
    const auto end = std::min(rest.find(between), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + between.size(), rest.size()));
    return part;
}

/// A new folder, in memory if the system has a place for that, for readers and writers that take a path.
class folder {
  public:
    folder() {
        const std::filesystem::path memory = "/dev/shm";
        const auto in = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
        auto pattern = (in / "ndkeep-fuzz-XXXXXX").string();
        demand(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

  private:
    std::filesystem::path path_;
};

/// Writes a file. Nothing may be mapped from its old content any more.
inline void write(const std::filesystem::path& file, std::string_view content) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    demand(out.flush().good());
}

}  // namespace fuzz
