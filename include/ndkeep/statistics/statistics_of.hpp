// SPDX-License-Identifier: BSD-3-Clause
// Statistics of an array that is there, in memory or mapped.
#pragma once

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/statistics/digest.hpp>

namespace ndkeep {

/// Least and greatest value, mean, standard deviation and the number of NaN: one look at each value, as fast as memory
/// gives them, by several threads. What lies in no one piece of memory, and lazy expressions, go block by block.
///
/// Sums are of doubles, in an order that does not depend on the number of threads. Other ways to the same values, as
/// through a view or a file, may round them otherwise.
[[nodiscard]] inline statistics statistics_of(const array_view& array, const run_options& run = {}) {
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
