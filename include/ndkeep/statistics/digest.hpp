// SPDX-License-Identifier: BSD-3-Clause
// Checksums and statistics of elements in one look at them, whole or in pieces side by side.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/statistics/summary.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::core {

/// Sums and statistics of elements as they pass by on their way to or from a file.
class digest {
  public:
    digest(const dtype& type, checksum sums, bool with_statistics);

    [[nodiscard]] bool wants_bytes() const noexcept { return sums_.kinds() != checksum::none || statistics_; }
    /// Whether pieces can be looked at apart from each other.
    [[nodiscard]] bool can_append() const noexcept { return running_checksums::can_continue(sums_.kinds()); }

    void update(std::span<const std::byte> bytes, std::size_t count);

    /// How many statistics it keeps: one, or those of all fields of a struct.
    [[nodiscard]] std::size_t width() const { return statistics_ ? statistics_->width() : 1; }

    /// Goes on with what was found in the `bytes` bytes that follow.
    void append(const digest& later, std::uint64_t bytes);

    [[nodiscard]] checksums sums() const { return sums_.values(); }
    [[nodiscard]] std::optional<statistics> values() const;

  private:
    running_checksums sums_;
    std::optional<running_statistics> statistics_;
};

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Shows `count` elements of `item` bytes each to `into`. The pieces depend on `count` and `item` alone, so that any
/// number of threads finds the same.
/// @param into  has seen nothing yet
/// @param look  called as `look(first, some, part)` for each piece: shows those elements to `part`, in order
template <class Look>
void digest_pieces(digest& into, std::size_t count, std::size_t item, const run_options& run, progress begin,
                   Look&& look) {
    constexpr std::size_t least_bytes = std::size_t{4} << 20, most_pieces = 1024;
    const std::size_t some = std::max({std::size_t{1}, least_bytes / item, count / most_pieces});
    const std::size_t pieces = (count + some - 1) / some;
    begin.items_total = pieces;
    begin.bytes_total = std::uint64_t{count} * item;
    progress_meter meter(run, std::move(begin));
    const auto length = [&](std::size_t i) { return std::min(some, count - i * some); };
    if (into.can_append()) {
        const digest fresh = into;
        // A struct of thousands of fields has as many statistics in each part.
        const std::size_t together = std::clamp<std::size_t>(4096 / fresh.width(), 2, 64);
        for (std::size_t first = 0; first < pieces; first += together) {
            std::vector<digest> parts(std::min(together, pieces - first), fresh);
            parallel_for(parts.size(), meter, [&](std::size_t i) {
                look((first + i) * some, length(first + i), parts[i]);
                meter.add(0, length(first + i) * item);
            });
            for (std::size_t i = 0; i < parts.size(); ++i)
                into.append(parts[i], std::uint64_t{length(first + i)} * item);
        }
    } else {
        for (std::size_t i = 0; i < pieces; ++i) {
            look(i * some, length(i), into);
            meter.add(1, length(i) * item);
            meter.report();
        }
    }
    meter.finish();
}

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/statistics/digest.ipp>
#endif
