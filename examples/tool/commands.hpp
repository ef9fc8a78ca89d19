// SPDX-License-Identifier: BSD-3-Clause
// The commands, one file each.
#pragma once

#include "tool.hpp"

namespace tool {

[[nodiscard]] command info_command();
[[nodiscard]] command ls_command();
[[nodiscard]] command tree_command();
[[nodiscard]] command show_command();
[[nodiscard]] command stats_command();
[[nodiscard]] command heat_command();

}  // namespace tool
