// SPDX-License-Identifier: BSD-3-Clause
// Accurate sums in eight lanes: the position of a value alone decides its lane, so that chunks do not matter.
#pragma once

#include <ndkeep/version.hpp>

#include <array>
#include <cstddef>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::size_t lane_count = 8;

/// Whether loops with four doubles at once are compiled for this machine.
[[nodiscard]] bool has_wide_vectors();

/// Adds a number, and its rounding error to `lost`, exactly.
/// @see Knuth, TAOCP 2, 4.2.2, theorem B
template <class Number>
[[gnu::always_inline]] inline void add_exactly(Number& sum, Number& lost, const Number& value) {
    const Number next = sum + value;
    const Number added = next - sum;
    lost += (sum - (next - added)) + (value - added);
    sum = next;
}

/// A product that is rounded before it is added. Where processors have them, compilers fuse multiplications with
/// additions as flags and loops allow it, and results would depend on that.
template <class Number>
[[gnu::always_inline]] inline void multiply(const Number& x, const Number& y, Number& product) {
    product = x * y;
#if !defined(__x86_64__) || defined(__FMA__) || defined(__FMA4__)
    __asm__("" : "+m"(product));
#endif
}
[[nodiscard, gnu::always_inline]] inline double product_of(double x, double y) {
    double product;
    multiply(x, y, product);
    return product;
}

/// Sums of every eighth value, and the sums of their rounding errors.
struct lane_sums {
    std::array<double, lane_count> sum = {}, lost = {};

    /// The sum of all lanes, and the error of it, in a fixed order. `error` is not added yet.
    [[nodiscard]] double total(double& error) const;
    /// The sum of all lanes. Infinities and NaN are as in a plain sum.
    [[nodiscard]] double total() const;
};

/// Adds groups of eight values. A lane that gets no value must get 0.
void add_groups(lane_sums& to, const double* values, std::size_t groups);

/// The least and the greatest of contiguous numbers, none of them NaN, added to `low` and `high`.
void widen(double& low, double& high, const double* values, std::size_t count);

/// Whether one of them is NaN.
[[nodiscard]] bool has_nan(const double* values, std::size_t count);

/// The values of one bin: their distances from a value near the mean, and the squares.
struct moments {
    double shift = 0;
    lane_sums distances, squares;

    /// Adds groups of eight values. A lane that gets no value must get the shift.
    void add(const double* values, std::size_t groups);
    /// Moves the shift to the mean of the `count` values so far.
    void settle(double count);
    [[nodiscard]] double variance(double count, double ddof) const;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/segments/lanes.ipp>
#endif
