// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/work/progress_bar.hpp>.
#pragma once

#include <ndkeep/work/progress_bar.hpp>

#include <ndkeep/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <ostream>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE flow progress_bar::operator()(const progress& now) const {
    if (wanted_) {
        const bool done = now.bytes_total != 0   ? now.bytes >= now.bytes_total
                          : now.items_total != 0 ? now.items >= now.items_total
                                                 : false;
        std::cerr << '\r' << line(now) << (done ? "\n" : "") << std::flush;
    }
    return flow::go;
}

NDKEEP_INLINE std::string progress_bar::line(const progress& now) {
    std::string out = now.phase;
    // Escaped, because a file name may contain characters that control the terminal.
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

NDKEEP_INLINE std::string progress_bar::tenths(std::uint64_t count) {
    return std::to_string(count / 10) + '.' + std::to_string(count % 10);
}

NDKEEP_INLINE std::string progress_bar::gigabytes(std::uint64_t bytes) {
    return tenths((bytes + 50'000'000) / 100'000'000);
}

NDKEEP_INLINE std::string progress_bar::counted(std::uint64_t count) {
    std::uint64_t unit = 1;
    std::string_view name = "";
    for (const std::string_view larger : {" k", " M", " G", " T"})
        if (count / unit >= 1000) {
            unit *= 1000;
            name = larger;
        }
    return unit == 1 ? std::to_string(count) : tenths(count / (unit / 10)) + std::string(name);
}

NDKEEP_INLINE std::string progress_bar::minutes(double seconds) {
    const auto whole = static_cast<std::uint64_t>(seconds);
    const std::string rest = std::to_string(whole % 60);
    return std::to_string(whole / 60) + ':' + (rest.size() == 1 ? "0" : "") + rest;
}

}  // namespace ndkeep
