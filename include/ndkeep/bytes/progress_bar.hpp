// SPDX-License-Identifier: BSD-3-Clause
// Progress as a line on the terminal.
#pragma once

#include <ndkeep/bytes/file.hpp>
#include <ndkeep/bytes/parallel.hpp>

#include <iostream>

namespace ndkeep {

/// Draws progress on standard error, if that is a terminal: `.run = {.progress = progress_bar()}`.
///
///     save readings  [#########.....................]  31 %  1.2 of 3.9 GB  0:04
class progress_bar {
  public:
    /// @param wanted  false: nothing is drawn
    explicit progress_bar(bool wanted = errors_go_to_terminal()) : wanted_(wanted) {}

    flow operator()(const progress& now) const {
        if (wanted_) {
            const bool done = now.bytes_total != 0   ? now.bytes >= now.bytes_total
                              : now.items_total != 0 ? now.items >= now.items_total
                                                     : false;
            std::cerr << '\r' << line(now) << (done ? "\n" : "") << std::flush;
        }
        return flow::go;
    }

    /// What is drawn, without the end of the line.
    [[nodiscard]] static std::string line(const progress& now) {
        std::string out = now.phase;
        if (!now.file.empty())
            out += ' ' + now.file.filename().string();
        const std::uint64_t total = now.bytes_total != 0 ? now.bytes_total : now.items_total;
        const std::uint64_t done = now.bytes_total != 0 ? now.bytes : now.items;
        if (total != 0) {
            constexpr std::size_t width = 30;
            const double part = static_cast<double>(std::min(done, total)) / static_cast<double>(total);
            const auto full = static_cast<std::size_t>(part * width);
            out += "  [" + std::string(full, '#') + std::string(width - full, '.') + "]  " +
                   std::to_string(static_cast<int>(100 * part)) + " %";
        }
        if (now.bytes_total != 0)
            out += "  " + gigabytes(now.bytes) + " of " + gigabytes(now.bytes_total) + " GB";
        else if (now.bytes != 0)
            out += "  " + gigabytes(now.bytes) + " GB";
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.elapsed).count();
        const std::string rest = std::to_string(seconds % 60);
        return out + "  " + std::to_string(seconds / 60) + ':' + (rest.size() == 1 ? "0" : "") + rest;
    }

  private:
    [[nodiscard]] static std::string gigabytes(std::uint64_t bytes) {
        const std::uint64_t tenths = (bytes + 50'000'000) / 100'000'000;
        return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10);
    }

    bool wanted_;
};

}  // namespace ndkeep
