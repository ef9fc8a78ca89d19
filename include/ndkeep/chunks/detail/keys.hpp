// SPDX-License-Identifier: BSD-3-Clause
// Per-chunk minimum and maximum, and the key that rows are ordered by.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The numbers of contiguous rows, or of one field of them. The stride is in bytes.
struct key_column {
    dtype type;
    const std::byte* first = nullptr;
    std::size_t stride = 0;
    std::size_t count = 0;

    template <class Number>
    [[nodiscard]] Number at(std::size_t i) const {
        // Fields of packed structs are not aligned: a pointer to Number would be undefined behaviour.
        Number number;
        std::memcpy(&number, first + i * stride, sizeof number);
        return number;
    }
};

/// All numbers of `count` rows; if a field orders the rows, only the numbers of that field.
[[nodiscard]] key_column keys_of(const chunk_state& state, const std::byte* rows, std::size_t count);

/// Calls `use` with a zero of the column's C++ type. Returns false, without a call, if the numbers have no order, are
/// float16, or are not in native byte order.
template <class Use>
bool with_number(const dtype& type, Use&& use) {
    const char form = number_form(type);
    if (form == '\0' || !type.is_native() || (form == 'f' && type.size() == 2))
        return false;
    const auto by_size = [&](auto one, auto two, auto four, auto eight) {
        if (type.size() == 1)
            use(one);
        else if (type.size() == 2)
            use(two);
        else if (type.size() == 4)
            use(four);
        else
            use(eight);
    };
    if (form == 'i')
        by_size(std::int8_t(), std::int16_t(), std::int32_t(), std::int64_t());
    else if (form == 'u')
        by_size(std::uint8_t(), std::uint16_t(), std::uint32_t(), std::uint64_t());
    else if (type.size() == 4)
        use(float());
    else
        use(double());
    return true;
}

/// Whether the type is datetime64 or timedelta64.
[[nodiscard]] bool is_time(const dtype& type);

/// Whether a number is NaN, or NaT, which NumPy stores as the least int64.
template <class Number>
[[nodiscard]] bool is_no_number(Number number, bool time) {
    if constexpr (std::is_floating_point_v<Number>)
        return is_nan(number);
    else
        return time && std::is_same_v<Number, std::int64_t> &&
               number == static_cast<Number>(std::numeric_limits<std::int64_t>::min());
}

/// The number in the widest type of its kind, as records store it.
template <class Number>
[[nodiscard]] statistics::number as_number(Number number) {
    if constexpr (std::is_floating_point_v<Number>)
        return static_cast<double>(number);
    else if constexpr (std::is_signed_v<Number>)
        return static_cast<std::int64_t>(number);
    else
        return static_cast<std::uint64_t>(number);
}

/// Updates eight minima and maxima from contiguous numbers, except the last `count % 8`. The eight are independent, so
/// compilers vectorise the loop. Infinities that change nothing stand in for NaN.
template <class Number>
void look_at_eights(const std::byte* at, std::size_t count, std::array<Number, 8>& low, std::array<Number, 8>& high) {
    for (std::size_t i = 0; i + 8 <= count; i += 8) {
        std::array<Number, 8> some;
        std::memcpy(some.data(), at + i * sizeof(Number), sizeof some);
        for (std::size_t j = 0; j < 8; ++j) {
            Number least = some[j], most = some[j];
            if constexpr (std::is_floating_point_v<Number>) {
                constexpr Number infinity = std::numeric_limits<Number>::infinity();
                least = is_nan(some[j]) ? infinity : least;
                most = is_nan(some[j]) ? -infinity : most;
            }
            low[j] = least < low[j] ? least : low[j];
            high[j] = most > high[j] ? most : high[j];
        }
    }
}

/// Finds the minimum and maximum, ignoring NaN and NaT. Without any other number, `min` and `max` stay as they are.
template <class Number>
void find_extremes(const key_column& keys, std::optional<statistics::number>& min,
                   std::optional<statistics::number>& max) {
    // The initial minimum is greater than the initial maximum, which shows below if no number was found.
    using range = std::numeric_limits<Number>;
    std::array<Number, 8> low, high;
    low.fill(range::has_infinity ? range::infinity() : range::max());
    high.fill(range::has_infinity ? -range::infinity() : range::lowest());
    const bool time = is_time(keys.type);
    std::size_t i = 0;
    // The fast loop would take NaT for the minimum, so times take the slow one.
    if (keys.stride == sizeof(Number) && !time) {
        look_at_eights(keys.first, keys.count, low, high);
        i = keys.count / 8 * 8;
    }
    for (; i < keys.count; ++i) {
        const auto number = keys.at<Number>(i);
        if (is_no_number(number, time))
            continue;
        low[0] = std::min(low[0], number);
        high[0] = std::max(high[0], number);
    }
    const Number least = *std::min_element(low.begin(), low.end());
    const Number most = *std::max_element(high.begin(), high.end());
    if (least <= most) {  // false if every number is NaN or NaT, or there is none
        min = as_number(least);
        max = as_number(most);
    }
}

/// The first key that is NaN or NaT, or less than the key before it.
struct disorder {
    std::size_t row = 0;
    std::string before, found;  // both keys as text
    bool no_key = false;        // NaN or NaT
};

/// nullopt if all keys are in order. Equal keys are.

template <class Number>
[[nodiscard]] std::optional<disorder> find_disorder(const key_column& keys) {
    const bool time = is_time(keys.type);
    for (std::size_t i = 0; i < keys.count; ++i) {
        const auto number = keys.at<Number>(i);
        if (is_no_number(number, time))
            return disorder{i, {}, time ? "NaT" : "NaN", true};
        if (i > 0 && number < keys.at<Number>(i - 1))
            return disorder{i, number_text(as_number(keys.at<Number>(i - 1))), number_text(as_number(number)), false};
    }
    return std::nullopt;
}

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/keys.ipp>
#endif
