// SPDX-License-Identifier: BSD-3-Clause
// Messages name the copy of standard input "-", as the user did.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tool {

/// From now on `named_as_given` prints "-" for this path, also after the file is removed: errors are printed later.
void set_copy_of_input(const std::filesystem::path& path);

/// The text with "-" in place of the path of the copy of standard input.
[[nodiscard]] std::string named_as_given(std::string_view text);

}  // namespace tool
