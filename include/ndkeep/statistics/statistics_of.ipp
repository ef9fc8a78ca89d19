// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/statistics/statistics_of.hpp>.
#pragma once

#include <ndkeep/statistics/statistics_of.hpp>

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/statistics/digest.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE statistics statistics_of(const array_view& array, const run_options& run) {
    detail::digest found(array.type(), checksum::none, true);
    const auto item = static_cast<std::size_t>(array.type().size());
    const std::size_t count = array.size();
    if (item == 0 || count == 0) {
        found.update({}, count);
    } else if (const std::byte* const there = array.contiguous(); there != nullptr) {
        detail::digest_pieces(found, count, item, run, {.phase = "statistics"},
                              [&](std::size_t first, std::size_t some, detail::digest& part) {
                                  part.update({there + first * item, some * item}, some);
                              });
    } else {
        // Small enough to be in the cache still when it is summarised after it has been filled.
        constexpr std::size_t in_cache = std::size_t{256} << 10;
        progress_meter meter(run,
                             {.phase = "statistics", .items_total = count, .bytes_total = std::uint64_t{count} * item});
        detail::for_each_block(array, in_cache, [&](std::span<const std::byte> bytes, std::size_t some) {
            found.update(bytes, some);
            meter.add(some, bytes.size());
            meter.report();
        });
        meter.finish();
    }
    return *found.values();
}

}  // namespace ndkeep
