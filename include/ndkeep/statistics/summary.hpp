// SPDX-License-Identifier: BSD-3-Clause
// running_statistics: statistics of elements that arrive in pieces, and the loops that compute them.
#pragma once

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/limits.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Integers are never NaN.
template <std::integral T>
[[nodiscard]] constexpr bool is_nan(T) noexcept {
    return false;
}

template <class T>
[[nodiscard]] statistics::number exact_number(T value) {
    if constexpr (std::is_floating_point_v<T>)
        return static_cast<double>(value);
    else if constexpr (std::is_signed_v<T>)
        return std::int64_t{value};
    else
        return std::uint64_t{value};
}

/// Statistics of one block: a first pass for the mean, a second one for the squares of the distances from it.
template <class T>
[[nodiscard]] statistics summary_one_by_one(const T* values, std::size_t count) {
    using limits = std::numeric_limits<T>;
    T low = limits::has_infinity ? limits::infinity() : limits::max();
    T high = limits::has_infinity ? -limits::infinity() : limits::lowest();
    std::size_t nan = 0;
    // Eight sums in turn: with a single sum, every addition would wait for the one before it.
    std::array<double, 8> sums = {};
    const auto value_at = [&](std::size_t i) { return is_nan(values[i]) ? 0.0 : static_cast<double>(values[i]); };
    const auto total = [](const std::array<double, 8>& parts) {
        return ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]));
    };
    for (std::size_t i = 0; i < count; ++i) {
        nan += is_nan(values[i]);
        // Comparisons with NaN are false, so a NaN changes neither.
        sums[i % 8] += value_at(i);
        if (is_nan(values[i]))
            continue;
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
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
    found.min = exact_number(low);
    found.max = exact_number(high);
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

}  // namespace detail

/// Statistics of elements that arrive in pieces, in any byte order. A struct is summarised field by field, a sub-array
/// over all its values. Each value is read from memory once: every block has its mean and deviation, and these are
/// merged.
class running_statistics {
  public:
    explicit running_statistics(const dtype& type);

    /// @param elements  `count` contiguous elements, which need not be aligned
    void update(const std::byte* elements, std::size_t count);

    /// The number of statistics that are kept: those of the elements, and in a struct those of every field.
    [[nodiscard]] std::size_t width() const;

    /// Adds the statistics of the elements that follow.
    /// @param later  of the same dtype
    void append(const running_statistics& later);

    [[nodiscard]] statistics values() const;

  private:
    void update_fields(const std::byte* elements, std::size_t count);

    /// @param step  bytes from one element to the next
    void update_values(const std::byte* elements, std::ptrdiff_t step, std::size_t count);

    dtype type_;
    statistics found_;
    std::vector<running_statistics> inner_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/statistics/summary.ipp>
#endif
