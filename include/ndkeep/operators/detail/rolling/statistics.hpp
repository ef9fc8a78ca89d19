// SPDX-License-Identifier: BSD-3-Clause
// The statistics of moving windows: how a value is added to a part of a window, and the result of two parts.
#pragma once

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/operators/detail/rolling/sums.hpp>
#include <ndkeep/operators/detail/segments/lanes.hpp>
#include <ndkeep/statistics/kernel.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Four windows: sums of their older and newer parts.
struct four_windows {
    four_doubles a, b, shift, count;

    [[gnu::always_inline]] void read(const window_columns& from, std::size_t at) {
        read_four(from.a.data() + at, a);
        read_four(from.b.data() + at, b);
        read_four(from.shift.data() + at, shift);
        read_four(from.count.data() + at, count);
    }
};

[[gnu::always_inline]] inline void put_sums(const four_windows& older, const four_windows& newer, four_doubles& out) {
    four_doubles all = older.a, lost = older.b + newer.b;
    add_exactly(all, lost, newer.a);
    // The errors of additions with infinities are NaN.
    four_words bits;
    std::memcpy(&bits, &all, sizeof bits);
    out = (bits & 0x7ff0'0000'0000'0000) == 0x7ff0'0000'0000'0000 ? all : all + lost;
}

struct window_sum {
    static constexpr bool has_b = true, has_shift = false;
    static void begin(window_sums&) {}
    static void add(window_sums& to, double value) {
        add_exactly(to.a, to.b, value);
        to.count += 1;
    }
    [[gnu::always_inline]] static void result(const four_windows& older, const four_windows& newer, double,
                                              four_doubles& out) {
        put_sums(older, newer, out);
    }
};

struct window_mean : window_sum {
    [[gnu::always_inline]] static void result(const four_windows& older, const four_windows& newer, double,
                                              four_doubles& out) {
        put_sums(older, newer, out);
        out /= older.count + newer.count;
    }
};

template <bool Least>
struct window_extreme {
    static constexpr bool has_b = false, has_shift = false;
    static void begin(window_sums& to) {
        to.a = Least ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    }
    static void add(window_sums& to, double value) {
        to.a = Least ? std::min(to.a, value) : std::max(to.a, value);
        to.count += 1;
    }
    [[gnu::always_inline]] static void result(const four_windows& older, const four_windows& newer, double,
                                              four_doubles& out) {
        if constexpr (Least)
            out = newer.a < older.a ? newer.a : older.a;
        else
            out = newer.a > older.a ? newer.a : older.a;
    }
};

/// The sums are those of distances from a shift near the mean, and of their squares.
struct window_spread {
    static constexpr bool has_b = true, has_shift = true;
    static void begin(window_sums&) {}
    static void add(window_sums& to, double value) {
        if (to.count == 0)
            to.shift = value;
        const double apart = value - to.shift;
        to.a += apart;
        to.b += apart * apart;
        to.count += 1;
        if (to.count == to.settling)
            settle(to);
    }
    /// Moves the shift to the mean: when the number of values is 8, 64, 512, ….
    static void settle(window_sums& to) {
        to.settling *= 8;
        const double moved = to.shift + to.a / to.count;
        if (!is_finite(moved))
            return;
        const double by = moved - to.shift;
        to.b = std::max(0.0, to.b - by * (2 * to.a - to.count * by));
        to.a -= to.count * by;
        to.shift = moved;
    }
    [[gnu::always_inline]] static void result(const four_windows& older, const four_windows& newer, double ddof,
                                              four_doubles& out) {
        const four_doubles one = 1.0 - four_doubles{}, zero = {};
        const four_doubles count = older.count + newer.count;
        // How far the means are from the shifts. Far from 0, means in one number would be too coarse.
        const four_doubles a = older.a / (older.count > zero ? older.count : one);
        const four_doubles b = newer.a / (newer.count > zero ? newer.count : one);
        four_doubles apart = (newer.shift - older.shift) + (b - a);
        apart = older.count > zero ? apart : zero;
        apart = newer.count > zero ? apart : zero;
        four_doubles first = older.b - older.a * a, second = newer.b - newer.a * b;
        // A comparison with NaN is false: NaN stays.
        first = first < zero ? zero : first;
        second = second < zero ? zero : second;
        const four_doubles squares =
            first + second + apart * apart * (older.count * newer.count / (count > zero ? count : one));
        const four_doubles divisor = count - ddof;
        const four_doubles variance = squares / (divisor > zero ? divisor : one);
        for (std::size_t lane = 0; lane < 4; ++lane)
            out[lane] = std::sqrt(variance[lane]);
        out = divisor > zero ? out : std::numeric_limits<double>::quiet_NaN() - zero;
    }
};

/// The results of windows, four at once. Those after the last one have no meaning.
template <class Statistic>
[[gnu::always_inline]] inline void combine_loop(const window_columns& older, std::size_t first,
                                                const window_columns& newer, std::size_t count, double least,
                                                double ddof, double* results) {
    for (std::size_t i = 0; i < count; i += 4) {
        four_windows a, b;
        a.read(older, first + i);
        b.read(newer, i);
        four_doubles out;
        Statistic::result(a, b, ddof, out);
        out = a.count + b.count < least ? std::numeric_limits<double>::quiet_NaN() - four_doubles{} : out;
        std::memcpy(results + i, &out, sizeof out);
    }
}

#if defined(__x86_64__)

template <class Statistic>
[[gnu::target("avx2")]] void combine_widely(const window_columns& older, std::size_t first, const window_columns& newer,
                                            std::size_t count, double least, double ddof, double* results) {
    combine_loop<Statistic>(older, first, newer, count, least, ddof, results);
}

#endif

template <class Statistic>
void combine(const window_columns& older, std::size_t first, const window_columns& newer, std::size_t count,
             double least, double ddof, double* results) {
#if defined(__x86_64__)
    if (has_wide_vectors()) {
        combine_widely<Statistic>(older, first, newer, count, least, ddof, results);
        return;
    }
#endif
    combine_loop<Statistic>(older, first, newer, count, least, ddof, results);
}

}  // namespace ndkeep::detail
