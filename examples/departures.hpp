// SPDX-License-Identifier: BSD-3-Clause
// A year of departures: the flights of examples/data with dates.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/fields.hpp>
#include <ndkeep/npz.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace year_2010 {

using minute = std::chrono::sys_time<std::chrono::minutes>;

// The records as examples/data has them: the time of day in hours.
struct record {
    double time;
    std::int16_t delay, distance;
};
NDKEEP_FIELDS(record, time, delay, distance);

struct departure {
    minute time;
    std::int32_t id;
    std::int16_t delay, distance;
};
NDKEEP_FIELDS(departure, time, id, delay, distance);

constexpr minute new_year = std::chrono::sys_days(std::chrono::year(2010) / 1 / 1);

/// Departures in order. The records do not say their dates: they are spread over the days of 2010.
inline std::vector<departure> load_departures(const std::filesystem::path& data) {
    std::vector<departure> all;
    for (const record& one : ndkeep::npz_reader(data / "flights.npz").load<record, 1>("flights")) {
        const auto id = static_cast<std::int32_t>(all.size());
        const auto day = new_year + std::chrono::days(id * 211 % 365);
        all.push_back({day + std::chrono::minutes(std::lround(one.time * 60)), id, one.delay, one.distance});
    }
    std::stable_sort(all.begin(), all.end(), [](const departure& a, const departure& b) { return a.time < b.time; });
    return all;
}

}  // namespace year_2010
