// SPDX-License-Identifier: BSD-3-Clause
// Flights and their statistics. The functions do not depend on how flights arrive: all at once, in chunks or from a
// feed.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/fields.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

struct flight {
    double time;            // time of day, in hours
    std::int16_t delay;     // minutes
    std::int16_t distance;  // miles
};
NDKEEP_FIELDS(flight, time, delay, distance);

/// Flights of one hour or one band of distances. It stores total minutes, because integer sums do not depend on order.
struct tally {
    double from;  // hour of the day, or miles
    std::int64_t flights, minutes;

    [[nodiscard]] double mean_delay() const { return static_cast<double>(minutes) / static_cast<double>(flights); }
    friend bool operator==(const tally&, const tally&) = default;
};
NDKEEP_FIELDS(tally, from, flights, minutes);

using band_table = xt::xtensor<tally, 1>;
using histogram = xt::xtensor<std::int64_t, 1>;

constexpr int earliest = -120, latest = 1500;  // minutes; the histogram counts other delays at its ends

inline band_table empty_bands() { return {{0, 0, 0}, {250, 0, 0}, {500, 0, 0}, {1000, 0, 0}, {2000, 0, 0}}; }
inline histogram empty_histogram() { return xt::zeros<std::int64_t>({latest - earliest + 1}); }

inline void count_bands(const auto& flights, band_table& bands) {
    for (const flight& one : flights) {
        auto band = bands.end() - 1;
        while (one.distance < band->from)
            --band;
        ++band->flights;
        band->minutes += one.delay;
    }
}

inline void count_delays(const auto& flights, histogram& delays) {
    for (const flight& one : flights)
        ++delays(std::clamp<int>(one.delay, earliest, latest) - earliest);
}

/// The least delay, in minutes, such that at least this share of the flights is no later.
inline int quantile(const histogram& delays, double share) {
    const auto wanted = share * static_cast<double>(xt::sum(delays)());
    std::int64_t so_far = 0;
    int minute = earliest - 1;
    for (auto count = delays.begin(); count != delays.end() && static_cast<double>(so_far) < wanted; ++count, ++minute)
        so_far += *count;
    return minute;
}

/// Counts flights by hour and returns the finished hours. An hour that may continue in the next chunk stays in `open`.
inline std::vector<tally> count_hours(const auto& flights, tally& open, bool is_last) {
    std::vector<tally> over;
    for (const flight& one : flights) {
        const double hour = std::floor(one.time);
        if (open.flights != 0 && open.from != hour)
            over.push_back(std::exchange(open, {}));
        open = {hour, open.flights + 1, open.minutes + one.delay};
    }
    if (is_last && open.flights != 0)
        over.push_back(std::exchange(open, {}));
    return over;
}
