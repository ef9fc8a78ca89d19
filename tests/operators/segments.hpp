// SPDX-License-Identifier: BSD-3-Clause
// Helpers for tests of segments: rows, and columns of results.
#pragma once

#include "support/temp_dir.hpp"

#include <ndkeep/operators.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace segmenttest {

namespace nk = ndkeep;

struct reading {
    std::int64_t key;
    std::int64_t value;
};
NDKEEP_FIELDS(reading, key, value);

struct trade {
    std::chrono::sys_time<std::chrono::nanoseconds> time;
    double price;
    std::int64_t size;
    float fee;
    std::uint8_t venue;
};
NDKEEP_FIELDS(trade, time, price, size, fee, venue);

inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

using readings = std::vector<reading>;
using numbers = std::vector<std::int64_t>;

template <class T = std::int64_t>
[[nodiscard]] std::vector<T> column(const nk::any_array& rows, std::string_view name) {
    const auto values = rows.field(name).as<T, 1>();
    return std::vector<T>(values.begin(), values.end());
}

/// The bytes of results, one after the other.
inline void append(std::vector<std::byte>& all, const nk::any_array& rows) {
    all.insert(all.end(), rows.bytes().begin(), rows.bytes().end());
}

}  // namespace segmenttest
