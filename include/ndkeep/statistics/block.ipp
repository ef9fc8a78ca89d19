// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/statistics/block.hpp>.
#pragma once

#include <ndkeep/statistics/block.hpp>

#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/statistics/extremes.hpp>
#include <ndkeep/statistics/kernel.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] NDKEEP_INLINE statistics summary_of_dates(const std::int64_t* values, std::size_t count) {
    // NaT, which NumPy stores as the smallest number.
    constexpr std::int64_t missing = std::numeric_limits<std::int64_t>::min();
    statistics found;
    found.count = count;
    extremes<std::int64_t> range;
    for (std::size_t i = 0; i < count; ++i) {
        if (values[i] == missing)
            ++found.nan;
        else
            range.add(values[i]);
    }
    if (!range.is_empty()) {
        found.min = range.least();
        found.max = range.greatest();
    }
    return found;
}

NDKEEP_INLINE statistics summary_of_block(const dtype& type, const std::byte* elements, std::size_t count) {
    if (type.is_time())
        return summary_of_dates(reinterpret_cast<const std::int64_t*>(elements), count);
    // Text and bytes have no more than a count.
    statistics found;
    found.count = count;
    (void)with_element_type(type, [&]<class T>(std::type_identity<T>) {
        [[maybe_unused]] const auto* const values = reinterpret_cast<const T*>(elements);
        if constexpr (std::is_same_v<T, bool>) {
            // A file may store any byte as a bool; all but 0 are true.
            std::array<std::uint8_t, summary_block> flags;
            for (std::size_t i = 0; i < count; ++i)
                flags[i] = elements[i] != std::byte{0};
            found = summary_of_numbers(flags.data(), count);
        } else if constexpr (std::is_arithmetic_v<T>) {
            found = summary_of_numbers(values, count);
        } else if constexpr (std::is_convertible_v<T, float>) {
            // Numbers that are smaller than a float.
            std::array<float, summary_block> wide;
            std::copy_n(values, count, wide.begin());
            found = summary_of_numbers(wide.data(), count);
        } else {
            found = summary_of_complex(values, count);
        }
    });
    return found;
}

}  // namespace ndkeep::detail
