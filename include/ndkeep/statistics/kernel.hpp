// SPDX-License-Identifier: BSD-3-Clause
// The loops over the numbers of one block: minimum, maximum, mean and deviation.
#pragma once

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/statistics/extremes.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Statistics of one block: a first pass for the mean, a second one for the squares of the distances from it.
template <class T>
[[nodiscard]] statistics summary_one_by_one(const T* values, std::size_t count) {
    extremes<T> range;
    std::size_t nan = 0;
    // Eight sums in turn: with a single sum, every addition would wait for the one before it.
    std::array<double, 8> sums = {};
    const auto value_at = [&](std::size_t i) { return is_nan(values[i]) ? 0.0 : static_cast<double>(values[i]); };
    const auto total = [](const std::array<double, 8>& parts) {
        return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
    };
    for (std::size_t i = 0; i < count; ++i) {
        nan += is_nan(values[i]);
        sums[i % 8] += value_at(i);
        range.add(values[i]);
    }
    statistics found;
    found.count = count;
    found.nan = nan;
    if (nan == count)
        return found;
    const auto some = static_cast<double>(count - nan);
    const double mean = total(sums) / some;
    sums = {};
    for (std::size_t i = 0; i < count; ++i) {
        const double apart = is_nan(values[i]) ? 0.0 : value_at(i) - mean;
        sums[i % 8] += apart * apart;
    }
    found.min = exact_number(range.least());
    found.max = exact_number(range.greatest());
    found.mean = mean;
    found.std = std::sqrt(total(sums) / some);
    return found;
}

// Vectors of four numbers. They are passed by reference, because passing them by value needs registers that not every
// machine has. The loops over them are compiled twice, without and with AVX2. The second version runs where it can.
using four_doubles [[gnu::vector_size(32)]] = double;
using four_words [[gnu::vector_size(32)]] = long long;

template <class T>
[[gnu::always_inline]] inline void read_four(const T* values, four_doubles& out) {
    if constexpr (std::is_same_v<T, double>) {
        std::memcpy(&out, values, sizeof out);
    } else {
        out = four_doubles{static_cast<double>(values[0]), static_cast<double>(values[1]),
                           static_cast<double>(values[2]), static_cast<double>(values[3])};
    }
}

/// Sets all bits in `missing` of the numbers that are NaN, and clears those of the others. Tests bits, as `is_nan`
/// does.
[[gnu::always_inline]] inline void find_missing(const four_doubles& x, four_words& missing) {
    std::memcpy(&missing, &x, sizeof missing);
    missing = (missing & 0x7fff'ffff'ffff'ffff) > 0x7ff0'0000'0000'0000;
}

/// Replaces the numbers that `where` marks by 0.
[[gnu::always_inline]] inline void put_zeros(const four_words& where, four_doubles& x) {
    four_words bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits &= ~where;
    std::memcpy(&x, &bits, sizeof bits);
}

/// Sets these bits in numbers that are 0 there.
[[gnu::always_inline]] inline void put_bits(const four_words& set, four_doubles& x) {
    four_words bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits |= set;
    std::memcpy(&x, &bits, sizeof bits);
}

/// The results of the first pass, separately for each of the four positions in a vector.
struct four_sums {
    four_doubles low, high, sum;
    four_words nan;

    [[gnu::always_inline]] four_sums()
        : low(std::numeric_limits<double>::infinity() - four_doubles{}), high(-low), sum{}, nan{} {}

    [[gnu::always_inline]] void add(const four_doubles& x) {
        four_words missing;
        find_missing(x, missing);
        nan -= missing;  // a mark is -1 as a number
        four_doubles value = x;
        put_zeros(missing, value);
        sum += value;
        // Numbers that change neither minimum nor maximum stand in for NaN, which must not be compared.
        four_doubles least = value, most = value;
        put_bits(missing & 0x7ff0'0000'0000'0000, least);
        put_bits(missing & (0x7ff0'0000'0000'0000 | std::numeric_limits<long long>::min()), most);
        low = least < low ? least : low;
        high = most > high ? most : high;
    }
};

/// The results of one block. NaN are counted and otherwise left out. `squares` sums the squares of the distances from
/// `mean`.
struct summed_numbers {
    double low, high, mean, squares;
    std::size_t nan;
};

/// Both passes over one block. Two vectors take turns, so that an addition need not wait for the one before it.
template <class T>
[[gnu::always_inline]] inline void sum_by_fours(const T* values, std::size_t count, summed_numbers& found) {
    four_sums even, odd;
    four_doubles x = {}, y = {};
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        read_four(values + i, x);
        read_four(values + i + 4, y);
        even.add(x);
        odd.add(y);
    }
    // The last, incomplete group is filled up with NaN. They are subtracted from the count below.
    std::array<double, 8> rest;
    rest.fill(std::numeric_limits<double>::quiet_NaN());
    const std::size_t left = count - i;
    std::copy_n(values + i, left, rest.begin());
    read_four(rest.data(), x);
    read_four(rest.data() + 4, y);
    even.add(x);
    odd.add(y);

    even.low = odd.low < even.low ? odd.low : even.low;
    even.high = odd.high > even.high ? odd.high : even.high;
    even.sum += odd.sum;
    even.nan += odd.nan;
    const auto& [low, high, sum, nan] = even;
    found.low = std::min({low[0], low[1], low[2], low[3]});
    found.high = std::max({high[0], high[1], high[2], high[3]});
    found.nan = static_cast<std::size_t>((nan[0] + nan[1]) + (nan[2] + nan[3])) - (8 - left);
    // 0 / 0 if all are NaN: the caller looks at `nan` first.
    found.mean = ((sum[0] + sum[1]) + (sum[2] + sum[3])) / static_cast<double>(count - found.nan);

    four_doubles even_squares = {}, odd_squares = {};
    const auto add_square = [mean = found.mean](const four_doubles& value, four_doubles& squares) {
        four_words missing;
        find_missing(value, missing);
        four_doubles apart = value;
        put_zeros(missing, apart);  // before: no arithmetic with NaN
        apart -= mean;
        put_zeros(missing, apart);
        squares += apart * apart;
    };
    for (i = 0; i + 8 <= count; i += 8) {
        read_four(values + i, x);
        read_four(values + i + 4, y);
        add_square(x, even_squares);
        add_square(y, odd_squares);
    }
    read_four(rest.data(), x);
    read_four(rest.data() + 4, y);
    add_square(x, even_squares);
    add_square(y, odd_squares);
    even_squares += odd_squares;
    found.squares = (even_squares[0] + even_squares[1]) + (even_squares[2] + even_squares[3]);
}

/// For every machine.
template <class T>
void sum_plainly(const T* values, std::size_t count, summed_numbers& found) {
    sum_by_fours(values, count, found);
}

#if defined(__x86_64__)

/// For machines with AVX2: always_inline makes the compiler translate the same loops again for this target.
template <class T>
[[gnu::target("avx2")]] void sum_widely(const T* values, std::size_t count, summed_numbers& found) {
    sum_by_fours(values, count, found);
}

#endif

/// Statistics of one block of integers or floating-point numbers.
template <class T>
[[nodiscard]] statistics summary_of_numbers(const T* values, std::size_t count) {
    // The vector loops work on doubles. A double does not hold every 64-bit integer and long double exactly.
    if constexpr (std::numeric_limits<T>::digits > std::numeric_limits<double>::digits) {
        return summary_one_by_one(values, count);
    } else {
        summed_numbers sums;
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2"))
            sum_widely(values, count, sums);
        else
#endif
            sum_plainly(values, count, sums);
        statistics found;
        found.count = count;
        found.nan = sums.nan;
        if (sums.nan == count)
            return found;
        found.min = exact_number(static_cast<T>(sums.low));
        found.max = exact_number(static_cast<T>(sums.high));
        found.mean = sums.mean;
        found.std = std::sqrt(sums.squares / static_cast<double>(count - sums.nan));
        return found;
    }
}

/// Statistics of one block of complex numbers, which have no minimum and maximum.
template <class T>
[[nodiscard]] statistics summary_of_complex(const std::complex<T>* values, std::size_t count) {
    statistics found;
    found.count = count;
    double real = 0;
    double imaginary = 0;
    const auto missing = [&](std::size_t i) { return is_nan(values[i].real()) || is_nan(values[i].imag()); };
    for (std::size_t i = 0; i < count; ++i) {
        if (missing(i)) {
            ++found.nan;
            continue;
        }
        real += static_cast<double>(values[i].real());
        imaginary += static_cast<double>(values[i].imag());
    }
    if (found.nan == count)
        return found;
    const auto some = static_cast<double>(count - found.nan);
    found.mean = real / some;
    found.mean_imaginary = imaginary / some;
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i)
        if (!missing(i)) {
            const double x = static_cast<double>(values[i].real()) - *found.mean;
            const double y = static_cast<double>(values[i].imag()) - *found.mean_imaginary;
            squares += x * x + y * y;
        }
    found.std = std::sqrt(squares / some);
    return found;
}

}  // namespace ndkeep::detail
