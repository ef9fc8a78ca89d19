// SPDX-License-Identifier: BSD-3-Clause
// Declarations of all commands. Each command is defined in a file command_NAME.cpp.
#pragma once

#include "tool.hpp"

namespace tool {

[[nodiscard]] command bench_command();
[[nodiscard]] command compact_command();
[[nodiscard]] command completion_command();
[[nodiscard]] command convert_command();
[[nodiscard]] command diff_command();
[[nodiscard]] command heat_command();
[[nodiscard]] command info_command();
[[nodiscard]] command ls_command();
[[nodiscard]] command meta_command();
[[nodiscard]] command prune_command();
[[nodiscard]] command recover_command();
[[nodiscard]] command show_command();
[[nodiscard]] command stats_command();
[[nodiscard]] command tree_command();
[[nodiscard]] command verify_command();

}  // namespace tool
