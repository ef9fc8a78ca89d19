// SPDX-License-Identifier: BSD-3-Clause
#include "given_name.hpp"

namespace tool {

namespace {

[[nodiscard]] std::string& copy_of_input() {
    static std::string path;
    return path;
}

}  // namespace

void set_copy_of_input(const std::filesystem::path& path) { copy_of_input() = path.string(); }

std::string named_as_given(std::string_view text) {
    std::string out(text);
    const auto& path = copy_of_input();
    if (path.empty())
        return out;
    for (auto at = out.find(path); at != std::string::npos; at = out.find(path, at + 1))
        out.replace(at, path.size(), "-");
    return out;
}

}  // namespace tool
