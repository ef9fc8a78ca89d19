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

#if defined(__SSE2__)
#include <emmintrin.h>  // _mm_sqrt_pd
#endif

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Four windows: what is kept of their older or their newer parts.
template <class Statistic>
struct four_windows {
    four_doubles a, b, shift, count;

    [[gnu::always_inline]] void read(const window_columns& from, std::size_t at) {
        read_four(from.a.data() + at, a);
        if constexpr (Statistic::members > 1)
            read_four(from.b.data() + at, b);
        if constexpr (Statistic::members > 2)
            read_four(from.shift.data() + at, shift);
        read_four(from.count.data() + at, count);
    }
};

/// Square roots. That of a number below 0 is NaN.
[[gnu::always_inline]] inline void take_roots(const four_doubles& of, four_doubles& out) {
#if defined(__SSE2__)
    // std::sqrt sets errno, so compilers make no vectors of it.
    two_doubles low = {of[0], of[1]}, high = {of[2], of[3]};
    low = _mm_sqrt_pd(low);
    high = _mm_sqrt_pd(high);
    out = four_doubles{low[0], low[1], high[0], high[1]};
#else
    for (std::size_t lane = 0; lane < 4; ++lane)
        out[lane] = std::sqrt(of[lane]);
#endif
}

/// What results need of the numbers of values. They are often the same for all windows.
struct four_counts {
    four_doubles count = {}, per_count = {}, per_degree = {};

    [[gnu::always_inline]] void set(const four_doubles& wanted, double ddof) {
        four_words a, b;
        std::memcpy(&a, &wanted, sizeof a);
        std::memcpy(&b, &count, sizeof b);
        a ^= b;
        if (((a[0] | a[1]) | (a[2] | a[3])) == 0)
            return;
        count = wanted;
        per_count = 1.0 / count;
        per_degree = 1.0 / (count - ddof);
    }
};

template <class Statistic>
[[gnu::always_inline]] inline void put_sums(const four_windows<Statistic>& older, const four_windows<Statistic>& newer,
                                            four_doubles& out) {
    four_doubles all = older.a, lost = older.b + newer.b;
    add_exactly(all, lost, newer.a);
    // The errors of additions with infinities are NaN.
    four_words bits;
    std::memcpy(&bits, &all, sizeof bits);
    out = (bits & 0x7ff0'0000'0000'0000) == 0x7ff0'0000'0000'0000 ? all : all + lost;
}

/// The sum, and its rounding error.
struct window_sum {
    static constexpr std::size_t members = 2;
    static void begin(window_sums<double>&) {}
    template <class Number>
    [[gnu::always_inline]] static void add(window_sums<Number>& to, const Number& value) {
        add_exactly(to.a, to.b, value);
        to.count += 1;
    }
    template <class Number>
    [[gnu::always_inline]] static void keep(const window_sums<Number>& of, Number& a, Number& b, Number&) {
        a = of.a;
        b = of.b;
    }
    [[gnu::always_inline]] static void result(const four_windows<window_sum>& older,
                                              const four_windows<window_sum>& newer, four_counts&, double,
                                              four_doubles& out) {
        put_sums(older, newer, out);
    }
};

struct window_mean : window_sum {
    [[gnu::always_inline]] static void result(const four_windows<window_mean>& older,
                                              const four_windows<window_mean>& newer, four_counts&, double,
                                              four_doubles& out) {
        put_sums(older, newer, out);
        out /= older.count + newer.count;
    }
};

template <bool Least>
struct window_extreme {
    static constexpr std::size_t members = 1;
    static void begin(window_sums<double>& to) {
        to.a = Least ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
    }
    template <class Number>
    [[gnu::always_inline]] static void choose(const Number& value, Number& of) {
        if constexpr (Least)
            of = value < of ? value : of;
        else
            of = value > of ? value : of;
    }
    template <class Number>
    [[gnu::always_inline]] static void add(window_sums<Number>& to, const Number& value) {
        choose(value, to.a);
        to.count += 1;
    }
    template <class Number>
    [[gnu::always_inline]] static void keep(const window_sums<Number>& of, Number& a, Number&, Number&) {
        a = of.a;
    }
    [[gnu::always_inline]] static void result(const four_windows<window_extreme>& older,
                                              const four_windows<window_extreme>& newer, four_counts&, double,
                                              four_doubles& out) {
        out = older.a;
        choose(newer.a, out);
    }
};

/// The sums are those of distances from a shift near the mean, and of their squares. The shift, the distance of the
/// mean from it, and the squares of distances from the mean are kept. Far from 0, the mean in one number would be too
/// coarse.
struct window_spread {
    static constexpr std::size_t members = 3;
    static void begin(window_sums<double>&) {}
    template <class Number>
    [[gnu::always_inline]] static void add(window_sums<Number>& to, const Number& value) {
        if (to.count == 0)
            to.shift = value;
        const Number apart = value - to.shift;
        Number square;
        multiply(apart, apart, square);
        to.a += apart;
        to.b += square;
        to.count += 1;
        if (to.count == to.settling) {
            settle(to.a, to.b, to.shift, to.count);
            to.settling *= 8;
        }
    }
    /// Moves the shift to the mean: when the number of values is 8, 64, 512, ….
    static void settle(double& a, double& b, double& shift, double count) {
        const double moved = shift + a / count;
        if (!is_finite(moved))
            return;
        const double by = moved - shift;
        const double all_moved = product_of(count, by);
        b = std::max(0.0, b - product_of(by, 2 * a - all_moved));
        a -= all_moved;
        shift = moved;
    }
    static void settle(two_doubles& a, two_doubles& b, two_doubles& shift, double count) {
        for (std::size_t lane = 0; lane < 2; ++lane) {
            double sum = a[lane], squares = b[lane], from = shift[lane];
            settle(sum, squares, from, count);
            a[lane] = sum;
            b[lane] = squares;
            shift[lane] = from;
        }
    }
    template <class Number>
    [[gnu::always_inline]] static void keep(const window_sums<Number>& of, Number& mean, Number& squares,
                                            Number& shift) {
        const Number zero = {};
        mean = of.a * (of.count > 0 ? 1 / of.count : 0.0);
        multiply(of.a, mean, squares);
        squares = of.b - squares;
        squares = squares < zero ? zero : squares;  // false for NaN, which stays
        shift = of.shift;
    }
    [[gnu::always_inline]] static void result(const four_windows<window_spread>& older,
                                              const four_windows<window_spread>& newer, four_counts& counts,
                                              double ddof, four_doubles& out) {
        const four_doubles zero = {};
        counts.set(older.count + newer.count, ddof);
        four_doubles apart = (newer.shift - older.shift) + (newer.a - older.a);
        // The mean of no values has no meaning.
        apart = older.count > zero ? apart : zero;
        apart = newer.count > zero ? apart : zero;
        four_doubles between;
        multiply(apart * apart, older.count * newer.count * counts.per_count, between);
        const four_doubles squares = (older.b + newer.b) + between;
        const four_doubles variance = squares * counts.per_degree;
        take_roots(variance, out);
        out = counts.count > ddof ? out : std::numeric_limits<double>::quiet_NaN() - zero;
    }
};

/// The results of `count` windows.
template <class Statistic>
[[gnu::always_inline]] inline void combine_loop(const window_columns& older, std::size_t first_older,
                                                const window_columns& newer, std::size_t first_newer, std::size_t count,
                                                double least, double ddof, double* results) {
    four_windows<Statistic> a, b;
    four_counts counts;
    four_doubles out;
    for (std::size_t i = 0; i < count; i += 4) {
        a.read(older, first_older + i);
        b.read(newer, first_newer + i);
        Statistic::result(a, b, counts, ddof, out);
        out = a.count + b.count < least ? std::numeric_limits<double>::quiet_NaN() - four_doubles{} : out;
        // Those after the last one have no meaning.
        if (i + 4 <= count)
            std::memcpy(results + i, &out, sizeof out);
        else
            std::memcpy(results + i, &out, (count - i) * sizeof(double));
    }
}

#if defined(__x86_64__)

template <class Statistic>
[[gnu::target("avx2")]] void combine_widely(const window_columns& older, std::size_t first_older,
                                            const window_columns& newer, std::size_t first_newer, std::size_t count,
                                            double least, double ddof, double* results) {
    combine_loop<Statistic>(older, first_older, newer, first_newer, count, least, ddof, results);
}

#endif

template <class Statistic>
void combine(const window_columns& older, std::size_t first_older, const window_columns& newer, std::size_t first_newer,
             std::size_t count, double least, double ddof, double* results) {
#if defined(__x86_64__)
    if (has_wide_vectors()) {
        combine_widely<Statistic>(older, first_older, newer, first_newer, count, least, ddof, results);
        return;
    }
#endif
    combine_loop<Statistic>(older, first_older, newer, first_newer, count, least, ddof, results);
}

[[gnu::always_inline]] inline void put_pair(double* to, double first, double second) {
    const two_doubles pair = {first, second};
    std::memcpy(to, &pair, sizeof pair);
}

/// Adds up to `count` values before `turn`, backwards, and as many from it on, forwards. Both sums are computed in the
/// same steps, because each addition waits for the one before it. No value is NaN.
/// @param count  at most that of an int
/// @param end    of the tails: that of no value
/// @return how many: an even number
template <class Statistic>
[[nodiscard, gnu::always_inline]] inline std::size_t
add_both_loop(const double* turn, std::size_t count, window_columns& tails, std::size_t end, window_columns& heads,
              window_sums<double>& older, window_sums<double>& newer) {
    window_sums<two_doubles> both;
    both.a = two_doubles{older.a, newer.a};
    const std::size_t pairs = count / 2 * 2;
    two_doubles kept[3], next[3];
    for (std::size_t i = 0; i < pairs; i += 2) {
        const auto back = -1 - static_cast<std::ptrdiff_t>(i);
        Statistic::add(both, two_doubles{turn[back], turn[i]});
        Statistic::keep(both, kept[0], kept[1], kept[2]);
        Statistic::add(both, two_doubles{turn[back - 1], turn[i + 1]});
        Statistic::keep(both, next[0], next[1], next[2]);
        put_pair(tails.a.data() + end + back - 1, next[0][0], kept[0][0]);
        put_pair(heads.a.data() + i, kept[0][1], next[0][1]);
        if constexpr (Statistic::members > 1) {
            put_pair(tails.b.data() + end + back - 1, next[1][0], kept[1][0]);
            put_pair(heads.b.data() + i, kept[1][1], next[1][1]);
        }
        if constexpr (Statistic::members > 2) {
            put_pair(tails.shift.data() + end + back - 1, next[2][0], kept[2][0]);
            put_pair(heads.shift.data() + i, kept[2][1], next[2][1]);
        }
    }
    double *const before = tails.count.data() + end - pairs, *const after = heads.count.data();
    for (int i = 0; i < static_cast<int>(pairs); ++i) {  // compilers convert vectors of int
        before[i] = static_cast<double>(static_cast<int>(pairs) - i);
        after[i] = static_cast<double>(i + 1);
    }
    older = {both.a[0], both.b[0], both.shift[0], both.count, both.settling};
    newer = {both.a[1], both.b[1], both.shift[1], both.count, both.settling};
    return pairs;
}

#if defined(__x86_64__)

template <class Statistic>
[[nodiscard, gnu::target("avx2")]] std::size_t
add_both_widely(const double* turn, std::size_t count, window_columns& tails, std::size_t end, window_columns& heads,
                window_sums<double>& older, window_sums<double>& newer) {
    return add_both_loop<Statistic>(turn, count, tails, end, heads, older, newer);
}

#endif

template <class Statistic>
[[nodiscard]] std::size_t add_both(const double* turn, std::size_t count, window_columns& tails, std::size_t end,
                                   window_columns& heads, window_sums<double>& older, window_sums<double>& newer) {
#if defined(__x86_64__)
    if (has_wide_vectors())
        return add_both_widely<Statistic>(turn, count, tails, end, heads, older, newer);
#endif
    return add_both_loop<Statistic>(turn, count, tails, end, heads, older, newer);
}

}  // namespace ndkeep::detail
