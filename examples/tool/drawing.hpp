// SPDX-License-Identifier: BSD-3-Clause
// Draws numbers as text: choice of the character set, and one-line histograms.
#pragma once

#include "terminal.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// The values of the option: "auto", "ascii" or "blocks".
inline constexpr std::array<std::string_view, 3> drawing_styles = {"auto", "ascii", "blocks"};

/// Whether to draw with block characters: on request, or on a terminal that can show them.
[[nodiscard]] inline bool wants_blocks(const terminal& screen, std::string_view style) {
    return style == "blocks" || (style == "auto" && screen.is_terminal && screen.has_unicode);
}

/// A one-line histogram. A bin with any count never looks like an empty bin.
[[nodiscard]] inline std::string sparkline(const std::vector<std::uint64_t>& bins, bool blocks) {
    constexpr std::array<std::string_view, 9> high = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    constexpr std::array<std::string_view, 9> dark = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
    const std::uint64_t most = bins.empty() ? 0 : *std::max_element(bins.begin(), bins.end());
    std::string out;
    for (const std::uint64_t bin : bins) {
        const double part = most == 0 ? 0 : static_cast<double>(bin) / static_cast<double>(most);
        const std::size_t level = bin == 0 ? 0 : std::min<std::size_t>(8, 1 + static_cast<std::size_t>(part * 8));
        out += blocks ? high[level] : dark[level];
    }
    return out;
}

}  // namespace tool
