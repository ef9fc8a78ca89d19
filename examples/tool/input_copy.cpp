// SPDX-License-Identifier: BSD-3-Clause
#include "input_copy.hpp"

#include "tool.hpp"

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>
#include <vector>

#include <unistd.h>  // read: unlike a C++ stream, it returns when Ctrl-C interrupts it

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// The path of the last copy. It outlives the copy, because errors are printed later.
[[nodiscard]] std::string& last_copy() {
    static std::string path;
    return path;
}

[[nodiscard]] fs::path new_folder() {
    auto name = (fs::temp_directory_path() / "ndkeep-input-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw nk::io_error(fs::temp_directory_path(), "cannot create a folder in", nk::core::last_error());
    return name;
}

}  // namespace

std::size_t read_input(std::span<std::byte> out) {
    for (;;) {
        const auto count = ::read(STDIN_FILENO, out.data(), out.size());
        check_interrupted("-");
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno != EINTR)
            throw nk::io_error("-", "cannot read", nk::core::last_error());
    }
}

input_copy::input_copy(std::span<const std::byte> begin) : path_(new_folder() / "input") {
    last_copy() = path_.string();
    try {
        read(begin);
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(path_.parent_path(), ignored);
        throw;
    }
}

input_copy::~input_copy() {
    std::error_code ignored;
    fs::remove_all(path_.parent_path(), ignored);
}

void input_copy::read(std::span<const std::byte> begin) {
    auto out = nk::file::create_exclusive(path_, path_);
    if (!out)
        throw nk::io_error(path_, "cannot create", nk::core::last_error());
    out->write(0, begin);
    std::uint64_t length = begin.size();
    std::vector<std::byte> block(std::size_t{1} << 20);
    while (const std::size_t count = read_input(block)) {
        out->write(length, std::span(block).first(count));
        length += count;
    }
    out->close();
}

std::string named_as_given(std::string_view text) {
    std::string out(text);
    const auto& path = last_copy();
    if (path.empty())
        return out;
    for (auto at = out.find(path); at != std::string::npos; at = out.find(path, at + 1))
        out.replace(at, path.size(), "-");
    return out;
}

}  // namespace tool
