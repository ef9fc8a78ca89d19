// SPDX-License-Identifier: BSD-3-Clause
// Progress as a line on the terminal.
#pragma once

#include <ndkeep/os/file.hpp>
#include <ndkeep/work/parallel.hpp>

#include <iostream>

namespace ndkeep {

/// Draws progress on standard error, if that is a terminal: `.run = {.progress = progress_bar()}`.
///
///     save readings  [#########.....................]  31 %  1.2 of 3.9 GB  0.3 GB/s  0:04, 0:09 left
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
            out += ' ' + detail::escaped(now.file.filename().string());
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
        else if (now.items_total != 0)
            out += "  " + counted(now.items) + " of " + counted(now.items_total);
        else if (now.items != 0)
            out += "  " + counted(now.items);
        else if (now.bytes != 0)
            out += "  " + gigabytes(now.bytes) + " GB";
        const double seconds = std::chrono::duration<double>(now.elapsed).count();
        const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
        if (rate > 0)
            out += "  " +
                   (now.bytes_total != 0 ? gigabytes(static_cast<std::uint64_t>(rate)) + " GB"
                                         : counted(static_cast<std::uint64_t>(rate))) +
                   "/s";
        out += "  " + minutes(seconds);
        if (rate > 0 && done < total)
            out += ", " + minutes(static_cast<double>(total - done) / rate) + " left";
        return out;
    }

  private:
    [[nodiscard]] static std::string tenths(std::uint64_t count) {
        return std::to_string(count / 10) + '.' + std::to_string(count % 10);
    }
    [[nodiscard]] static std::string gigabytes(std::uint64_t bytes) {
        return tenths((bytes + 50'000'000) / 100'000'000);
    }
    /// "999", "1.0 k", "2.5 M"
    [[nodiscard]] static std::string counted(std::uint64_t count) {
        std::uint64_t unit = 1;
        std::string_view name = "";
        for (const std::string_view larger : {" k", " M", " G", " T"})
            if (count / unit >= 1000) {
                unit *= 1000;
                name = larger;
            }
        return unit == 1 ? std::to_string(count) : tenths(count / (unit / 10)) + std::string(name);
    }
    [[nodiscard]] static std::string minutes(double seconds) {
        const auto whole = static_cast<std::uint64_t>(seconds);
        const std::string rest = std::to_string(whole % 60);
        return std::to_string(whole / 60) + ':' + (rest.size() == 1 ? "0" : "") + rest;
    }

    bool wanted_;
};

}  // namespace ndkeep
