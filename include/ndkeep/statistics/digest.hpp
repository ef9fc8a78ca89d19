// SPDX-License-Identifier: BSD-3-Clause
// digest: checksums and statistics of elements in one pass, sequential or in parallel pieces.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/statistics/running_statistics.hpp>
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

/// Computes checksums and statistics of elements while they are read or written.
class digest {
  public:
    digest(const dtype& type, checksum sums, bool with_statistics);

    /// False if nothing is computed, so that the elements need not be read for this.
    [[nodiscard]] bool wants_bytes() const noexcept { return sums_.kinds() != checksum::none || statistics_; }
    /// Whether separate digests of pieces can be joined with `append`. An MD5 cannot.
    [[nodiscard]] bool can_append() const noexcept { return running_checksums::can_continue(sums_.kinds()); }

    /// @param bytes  `count` contiguous elements
    void update(std::span<const std::byte> bytes, std::size_t count);

    /// The number of statistics that are kept: those of the elements, and in a struct those of every field.
    [[nodiscard]] std::size_t width() const { return statistics_ ? statistics_->width() : 1; }

    /// Adds the results of the `bytes` bytes that follow.
    /// @param later  of the same dtype and checksums, for which `can_append` holds
    void append(const digest& later, std::uint64_t bytes);

    [[nodiscard]] checksums sums() const { return sums_.values(); }
    [[nodiscard]] std::optional<statistics> values() const;

  private:
    running_checksums sums_;
    std::optional<running_statistics> statistics_;
};

}  // namespace ndkeep::core

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Adds `count` elements to `into` in pieces, in parallel if `into` can append. The pieces depend only on `count` and
/// `item`, so that every number of threads gives the same result.
///
/// @param into  has no elements yet
/// @param item  bytes of an element, not 0
/// @param look  called as `look(first, some, part)` for each piece, on several threads if in parallel; passes these
///              elements to `part.update`, in order
/// @throws io_error  operation_canceled
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
        // Limits the memory: each part keeps `width` statistics, and a struct may have thousands of fields.
        const std::size_t together = std::clamp<std::size_t>(4096 / fresh.width(), 2, 64);
        for (std::size_t first = 0; first < pieces; first += together) {
            std::vector<digest> parts(std::min(together, pieces - first), fresh);
            parallel_for(parts.size(), meter, [&](std::size_t i) {
                look((first + i) * some, length(first + i), parts[i]);
                meter.add(0, length(first + i) * item);  // parallel_for counts the items
            });
            // In the order of the elements, which decides the checksums and the rounding of the statistics.
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
