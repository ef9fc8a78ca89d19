// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/lanes.hpp>.
#pragma once

#include <ndkeep/operators/detail/segments/lanes.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/statistics/kernel.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI::detail {

struct four_lanes {
    four_doubles sum, lost;

    [[gnu::always_inline]] void read(const lane_sums& from, std::size_t lane) {
        std::memcpy(&sum, from.sum.data() + lane, sizeof sum);
        std::memcpy(&lost, from.lost.data() + lane, sizeof lost);
    }
    [[gnu::always_inline]] void write(lane_sums& to, std::size_t lane) const {
        std::memcpy(to.sum.data() + lane, &sum, sizeof sum);
        std::memcpy(to.lost.data() + lane, &lost, sizeof lost);
    }
};

[[gnu::always_inline]] inline void add_groups_loop(lane_sums& to, const double* values, std::size_t groups) {
    four_lanes low, high;
    low.read(to, 0);
    high.read(to, 4);
    four_doubles x, y;
    for (std::size_t i = 0; i < groups; ++i, values += lane_count) {
        read_four(values, x);
        read_four(values + 4, y);
        add_exactly(low.sum, low.lost, x);
        add_exactly(high.sum, high.lost, y);
    }
    low.write(to, 0);
    high.write(to, 4);
}

[[gnu::always_inline]] inline void add_moments_loop(moments& to, const double* values, std::size_t groups) {
    four_lanes low, high, low_squares, high_squares;
    low.read(to.distances, 0);
    high.read(to.distances, 4);
    low_squares.read(to.squares, 0);
    high_squares.read(to.squares, 4);
    const double shift = to.shift;
    four_doubles x, y, squares;
    for (std::size_t i = 0; i < groups; ++i, values += lane_count) {
        read_four(values, x);
        read_four(values + 4, y);
        x -= shift;
        y -= shift;
        add_exactly(low.sum, low.lost, x);
        add_exactly(high.sum, high.lost, y);
        multiply(x, x, squares);
        add_exactly(low_squares.sum, low_squares.lost, squares);
        multiply(y, y, squares);
        add_exactly(high_squares.sum, high_squares.lost, squares);
    }
    low.write(to.distances, 0);
    high.write(to.distances, 4);
    low_squares.write(to.squares, 0);
    high_squares.write(to.squares, 4);
}

[[gnu::always_inline]] inline void widen_loop(double& low, double& high, const double* values, std::size_t count) {
    std::size_t i = 0;
    if (count >= 8) {
        four_doubles least = low - four_doubles{}, most = high - four_doubles{}, x;
        four_doubles other_least = least, other_most = most, y;
        for (; i + 8 <= count; i += 8) {
            read_four(values + i, x);
            read_four(values + i + 4, y);
            least = x < least ? x : least;
            most = x > most ? x : most;
            other_least = y < other_least ? y : other_least;
            other_most = y > other_most ? y : other_most;
        }
        for (std::size_t lane = 0; lane < 4; ++lane) {
            low = std::min({low, least[lane], other_least[lane]});
            high = std::max({high, most[lane], other_most[lane]});
        }
    }
    for (; i < count; ++i) {
        low = std::min(low, values[i]);
        high = std::max(high, values[i]);
    }
}

[[nodiscard, gnu::always_inline]] inline bool has_nan_loop(const double* values, std::size_t count) {
    four_words all = {}, other = {}, missing;
    std::size_t i = 0;
    four_doubles x;
    for (; i + 8 <= count; i += 8) {
        read_four(values + i, x);
        find_missing(x, missing);
        all |= missing;
        read_four(values + i + 4, x);
        find_missing(x, missing);
        other |= missing;
    }
    all |= other;
    bool found = ((all[0] | all[1]) | (all[2] | all[3])) != 0;
    for (; i < count; ++i)
        found = found || is_nan(values[i]);
    return found;
}

#if defined(__x86_64__)

[[nodiscard, gnu::target("avx2")]] inline bool has_nan_widely(const double* values, std::size_t count) {
    return has_nan_loop(values, count);
}
[[gnu::target("avx2")]] inline void add_groups_widely(lane_sums& to, const double* values, std::size_t groups) {
    add_groups_loop(to, values, groups);
}
[[gnu::target("avx2")]] inline void add_moments_widely(moments& to, const double* values, std::size_t groups) {
    add_moments_loop(to, values, groups);
}
[[gnu::target("avx2")]] inline void widen_widely(double& low, double& high, const double* values, std::size_t count) {
    widen_loop(low, high, values, count);
}

#endif

NDKEEP_INLINE bool has_wide_vectors() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") != 0;
#else
    return false;
#endif
}

NDKEEP_INLINE void add_groups(lane_sums& to, const double* values, std::size_t groups) {
#if defined(__x86_64__)
    if (has_wide_vectors()) {
        add_groups_widely(to, values, groups);
        return;
    }
#endif
    add_groups_loop(to, values, groups);
}

NDKEEP_INLINE void moments::add(const double* values, std::size_t groups) {
#if defined(__x86_64__)
    if (has_wide_vectors()) {
        add_moments_widely(*this, values, groups);
        return;
    }
#endif
    add_moments_loop(*this, values, groups);
}

NDKEEP_INLINE bool has_nan(const double* values, std::size_t count) {
#if defined(__x86_64__)
    if (has_wide_vectors())
        return has_nan_widely(values, count);
#endif
    return has_nan_loop(values, count);
}

NDKEEP_INLINE void widen(double& low, double& high, const double* values, std::size_t count) {
#if defined(__x86_64__)
    if (has_wide_vectors()) {
        widen_widely(low, high, values, count);
        return;
    }
#endif
    widen_loop(low, high, values, count);
}

NDKEEP_INLINE double lane_sums::total(double& error) const {
    double all = 0;
    error = 0;
    for (const double lane : sum)
        add_exactly(all, error, lane);
    for (const double lane : lost)
        error += lane;
    return all;
}

NDKEEP_INLINE double lane_sums::total() const {
    double error = 0;
    const double all = total(error);
    // The errors of additions with infinities are NaN.
    return is_finite(all) ? all + error : all;
}

NDKEEP_INLINE void moments::settle(double count) {
    const double sum = distances.total();
    const double moved = shift + sum / count;
    if (!is_finite(moved))
        return;  // an infinity among the values: the variance is NaN
    const double by = moved - shift;
    const double all_squares = squares.total();
    distances = {};
    squares = {};
    const double all_moved = product_of(count, by);
    distances.sum[0] = sum - all_moved;
    squares.sum[0] = std::max(0.0, all_squares - product_of(by, 2 * sum - all_moved));
    shift = moved;
}

NDKEEP_INLINE double moments::variance(double count, double ddof) const {
    if (!(count > ddof))
        return std::numeric_limits<double>::quiet_NaN();
    const double sum = distances.total();
    const double all_squares = squares.total();
    if (!is_finite(sum) || !is_finite(all_squares))
        return std::numeric_limits<double>::quiet_NaN();
    return std::max(0.0, all_squares - product_of(sum, sum / count)) / (count - ddof);
}

}  // namespace ndkeep::detail
