// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/column.hpp>: what rows add to a column. Results are in
// column_results.ipp.
#pragma once

#include <ndkeep/operators/detail/segments/column.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/operators/detail/segments/values.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

[[nodiscard]] inline std::byte* slot_of(std::array<std::uint64_t, 2>& in_state, column_memory& memory, std::size_t size,
                                        std::size_t number) {
    if (size <= sizeof in_state)
        return reinterpret_cast<std::byte*>(in_state.data());
    if (memory.bytes.size() != 2 * size)
        memory.bytes.assign(2 * size, 0);
    return reinterpret_cast<std::byte*>(memory.bytes.data()) + number * size;
}

template <class T>
void keep_ends(const segment_column& of, column_state& state, column_memory& memory, const std::byte* at,
               std::ptrdiff_t step, std::size_t count) {
    const auto size = static_cast<std::size_t>(of.type.size());
    const auto counts = [&](const std::byte* value) {
        if constexpr (std::is_same_v<T, raw_element>)
            return true;
        else
            return of.nan == nan_rule::propagate || !is_missing(value_at<T>(value));
    };
    const auto keep = [&](std::byte* slot, const std::byte* value) {
        if constexpr (std::is_same_v<T, bool>)
            *slot = static_cast<std::byte>(value_at<bool>(value));
        else
            std::memcpy(slot, value, size);
    };
    if (of.needs_first && state.has_first == 0)
        for (std::size_t i = 0; i < count; ++i)
            if (const auto* const value = at + static_cast<std::ptrdiff_t>(i) * step; counts(value)) {
                keep(slot_of(state.first, memory, size, 0), value);
                state.has_first = 1;
                break;
            }
    if (of.needs_last)
        for (std::size_t i = count; i-- > 0;)
            if (const auto* const value = at + static_cast<std::ptrdiff_t>(i) * step; counts(value)) {
                keep(slot_of(state.last, memory, size, 1), value);
                state.has_first = 1;
                break;
            }
}

/// The least and the greatest value so far.
template <class T>
class kept_extremes {
  public:
    explicit kept_extremes(column_state& of) : of_(of) {
        if (of.valid == 0) {
            low = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                                       : std::numeric_limits<T>::max();
            high = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                        : std::numeric_limits<T>::lowest();
        } else {
            std::memcpy(&low, of.low.data(), sizeof low);
            std::memcpy(&high, of.high.data(), sizeof high);
        }
    }
    void add(const T& value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    void store() const {
        std::memcpy(of_.low.data(), &low, sizeof low);
        std::memcpy(of_.high.data(), &high, sizeof high);
    }

    T low, high;

  private:
    column_state& of_;
};

[[nodiscard]] inline std::uint64_t next_settling(std::uint64_t valid) {
    std::uint64_t next = lane_count;
    while (next <= valid)
        next *= lane_count;
    return next;
}

/// Adds values to the moments. `block` has them from its position `valid % 8` on.
inline void add_to_moments(column_state& state, double* block, std::size_t count) {
    const std::size_t begin = state.valid % lane_count;
    for (std::size_t done = 0; done < count;) {
        const std::uint64_t before = state.valid + done;
        const auto some = std::min<std::uint64_t>(count - done, next_settling(before) - before);
        const std::size_t first = begin + done, last = first + static_cast<std::size_t>(some);
        const std::size_t from = first / lane_count * lane_count;
        const std::size_t to = (last + lane_count - 1) / lane_count * lane_count;
        // A settling is at a multiple of eight, so only the ends of the block have lanes without a value.
        std::fill(block + from, block + first, state.spread.shift);
        std::fill(block + last, block + to, state.spread.shift);
        state.spread.add(block + from, (to - from) / lane_count);
        done += static_cast<std::size_t>(some);
        if (state.valid + done == next_settling(before))
            state.spread.settle(static_cast<double>(state.valid + done));
    }
}

/// Room for the values of a piece, in their lanes.
struct lane_block {
    alignas(64) std::array<double, rows_at_once + 2 * lane_count> values;

    /// Zeroing all of it would take as long as a sum.
    lane_block() { std::fill_n(values.begin(), lane_count, 0.0); }

    /// Puts zeros into lanes without a value. Returns the number of groups.
    std::size_t pad(std::size_t begin, std::size_t count) {
        const std::size_t last = begin + count, end = (last + lane_count - 1) / lane_count * lane_count;
        std::fill(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(begin), 0.0);
        std::fill(values.begin() + static_cast<std::ptrdiff_t>(last), values.begin() + static_cast<std::ptrdiff_t>(end),
                  0.0);
        return end / lane_count;
    }
};

template <class T>
void reduce_real(const segment_column& of, column_state& state, column_memory& memory, const std::byte* at,
                 std::ptrdiff_t step, std::size_t count, next_rows& next) {
    lane_block block;
    const std::size_t begin = state.valid % lane_count;
    double* const values = block.values.data() + begin;
    // -0.0 becomes 0.0, so that the order does not matter.
    const std::byte* from = at;
    for (std::size_t i = 0; i < count; ++i, from += step)
        values[i] = static_cast<double>(value_at<T>(from)) + 0.0;
    std::size_t found = count;
    next.fetch();
    if (has_nan(values, count)) {
        found = 0;
        for (std::size_t i = 0; i < count; ++i) {
            values[found] = values[i];
            found += is_nan(values[i]) ? 0 : 1;
        }
    }
    if (of.needs_extremes) {
        if constexpr (sizeof(T) > sizeof(double)) {
            kept_extremes<T> ends(state);
            for (std::size_t i = 0; i < count; ++i)
                if (const T value = value_at<T>(at + static_cast<std::ptrdiff_t>(i) * step); !is_missing(value))
                    ends.add(value + T{0});
            ends.store();
        } else {
            kept_extremes<double> ends(state);
            widen(ends.low, ends.high, values, found);
            ends.store();
        }
    }
    next.fetch();
    if (of.needs_values)
        memory.values.insert(memory.values.end(), values, values + found);
    if (found != 0) {
        const std::size_t groups = block.pad(begin, found);
        if (of.needs_sum || of.needs_mean)
            add_groups(state.sum, block.values.data(), groups);
        next.fetch();
        if (of.needs_moments) {
            if (state.valid == 0)
                state.spread.shift = values[0];
            add_to_moments(state, block.values.data(), found);
        }
    }
    state.valid += found;
    state.missing += count - found;
}

[[noreturn]] NDKEEP_INLINE void refuse_sum(const segment_column& of, std::uint64_t row) {
    throw mismatch_error({.field = "sum of " + ndkeep::quoted(of.field),
                          .expected = "within 64 bits",
                          .found = "too large at row " + std::to_string(row),
                          .hint = "mean has no such limit"});
}

template <class T>
void add_whole(const segment_column& of, column_state& state, const std::byte* at, std::ptrdiff_t step,
               std::size_t count, std::uint64_t row) {
    using sum_type = std::conditional_t<std::is_signed_v<T> || sizeof(T) < 8, std::int64_t, std::uint64_t>;
    // Sums of smaller unsigned integers are printed as uint64. They would have to be larger than 2^63 to differ.
    auto total = static_cast<core::wide_count>(state.total_high) << 64 | state.total_low;
    std::size_t i = 0;
    if (total >= std::numeric_limits<sum_type>::min() && total <= std::numeric_limits<sum_type>::max()) {
        auto sum = static_cast<sum_type>(total);
        const auto before = sum;
        bool overflows = false;
        const std::byte* from = at;
        for (; i < count; ++i, from += step)
            overflows |= __builtin_add_overflow(sum, static_cast<sum_type>(value_at<T>(from)), &sum);
        if (overflows) {
            // Once more, to find the row.
            sum = before;
            for (i = 0, from = at;; ++i, from += step) {
                sum_type next;
                if (__builtin_add_overflow(sum, static_cast<sum_type>(value_at<T>(from)), &next))
                    break;
                sum = next;
            }
        }
        total = sum;
    }
    if (i < count && of.needs_sum)
        refuse_sum(of, row + i);
    for (; i < count; ++i)
        total += value_at<T>(at + static_cast<std::ptrdiff_t>(i) * step);
    state.total_low = static_cast<std::uint64_t>(total);
    state.total_high = static_cast<std::int64_t>(total >> 64);
}

/// The distance of two integers.
template <class T>
[[nodiscard]] double distance_of(T value, T from) {
    if constexpr (sizeof(T) < 8) {
        return static_cast<double>(static_cast<std::int64_t>(value) - static_cast<std::int64_t>(from));
    } else {
        std::int64_t apart;
        if (!__builtin_sub_overflow(value, from, &apart))
            return static_cast<double>(apart);
        return static_cast<double>(core::wide_count{value} - core::wide_count{from});
    }
}

template <class T>
void reduce_whole(const segment_column& of, column_state& state, column_memory& memory, const std::byte* at,
                  std::ptrdiff_t step, std::size_t count, std::uint64_t row, next_rows& next) {
    const auto value = [&](std::size_t i) { return value_at<T>(at + static_cast<std::ptrdiff_t>(i) * step); };
    if (of.needs_extremes) {
        kept_extremes<compared<T>> ends(state);
        for (std::size_t i = 0; i < count; ++i)
            ends.add(value(i));
        ends.store();
    }
    next.fetch();
    if (of.needs_sum || of.needs_mean)
        add_whole<T>(of, state, at, step, count, row);
    if (of.needs_values)
        for (std::size_t i = 0; i < count; ++i)
            memory.values.push_back(static_cast<double>(value(i)));
    if (of.needs_moments) {
        if (state.valid == 0)
            state.first_whole = static_cast<std::uint64_t>(value(0));
        const auto from = static_cast<T>(state.first_whole);
        lane_block block;
        const std::size_t begin = state.valid % lane_count;
        for (std::size_t i = 0; i < count; ++i)
            block.values[begin + i] = distance_of(static_cast<compared<T>>(value(i)), static_cast<compared<T>>(from));
        add_to_moments(state, block.values.data(), count);
    }
    state.valid += count;
}

inline void reduce_times(const segment_column& of, column_state& state, const std::byte* at, std::ptrdiff_t step,
                         std::size_t count) {
    kept_extremes<std::int64_t> ends(state);
    std::uint64_t missing = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = value_at<time_number>(at + static_cast<std::ptrdiff_t>(i) * step);
        if (is_missing(value))
            ++missing;
        else
            ends.add(value.count);
    }
    if (of.needs_extremes)
        ends.store();
    state.valid += count - missing;
    state.missing += missing;
}

template <class T>
void run_column(const segment_column& of, column_state& state, column_memory& memory, const std::byte* at,
                std::ptrdiff_t step, std::size_t count, [[maybe_unused]] std::uint64_t row, next_rows& next) {
    next.fetch();
    if (of.needs_first || of.needs_last)
        keep_ends<T>(of, state, memory, at, step, count);
    const bool is_reduced = of.needs_extremes || of.needs_sum || of.needs_mean || of.needs_moments || of.needs_values;
    if (!is_reduced && !of.needs_count)
        return;
    if constexpr (std::is_same_v<T, raw_element>) {
        state.valid += count;
    } else if constexpr (is_whole<T>) {
        reduce_whole<T>(of, state, memory, at, step, count, row, next);
    } else if constexpr (std::is_same_v<T, time_number>) {
        reduce_times(of, state, at, step, count);
    } else if constexpr (is_real<T>) {
        reduce_real<T>(of, state, memory, at, step, count, next);
    } else {
        std::uint64_t missing = 0;
        for (std::size_t i = 0; i < count; ++i)
            missing += is_missing(value_at<T>(at + static_cast<std::ptrdiff_t>(i) * step)) ? 1 : 0;
        state.valid += count - missing;
        state.missing += missing;
    }
}

NDKEEP_INLINE void segment_column::add(const reducer& of) {
    switch (of.kind) {
    case reduction::first:
        needs_first = true;
        break;
    case reduction::last:
        needs_last = true;
        break;
    case reduction::min:
    case reduction::max:
        needs_extremes = true;
        break;
    case reduction::sum:
        needs_sum = true;
        break;
    case reduction::mean:
        needs_mean = true;
        break;
    case reduction::variance:
        needs_moments = true;
        break;
    case reduction::quantile:
        needs_values = true;
        break;
    case reduction::count:
        needs_count = true;
        break;
    default:
        break;
    }
}

NDKEEP_INLINE void segment_column::prepare() {
    run = run_column<raw_element>;
    if (type.is_time())
        run = run_column<time_number>;
    else
        (void)core::with_element_type(type, [this]<class T>(std::type_identity<T>) { run = run_column<T>; });
}

}  // namespace ndkeep::detail
