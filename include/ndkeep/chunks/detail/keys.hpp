// SPDX-License-Identifier: BSD-3-Clause
// The numbers of rows: the smallest and largest of them that are kept about a chunk, and those that rows are ordered
// by.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Numbers with a stride among rows that lie one behind the other.
struct key_column {
    dtype type;
    const std::byte* first = nullptr;
    std::size_t stride = 0;
    std::size_t count = 0;

    template <class Number>
    [[nodiscard]] Number at(std::size_t i) const {
        Number number;
        std::memcpy(&number, first + i * stride, sizeof number);
        return number;
    }
};

/// All numbers of some rows, or those of the field that orders them.
[[nodiscard]] key_column keys_of(const chunk_state& state, const std::byte* rows, std::size_t count);

/// Calls `use` with a number of the column's C++ type; false where the numbers have no order or are not native.
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

[[nodiscard]] bool is_time(const dtype& type);

template <class Number>
[[nodiscard]] bool is_no_number(Number number, bool time) {
    if constexpr (std::is_floating_point_v<Number>)
        return std::isnan(number);
    else
        return time && std::is_same_v<Number, std::int64_t> &&
               number == static_cast<Number>(std::numeric_limits<std::int64_t>::min());
}

template <class Number>
[[nodiscard]] statistics::number as_number(Number number) {
    if constexpr (std::is_floating_point_v<Number>)
        return static_cast<double>(number);
    else if constexpr (std::is_signed_v<Number>)
        return static_cast<std::int64_t>(number);
    else
        return static_cast<std::uint64_t>(number);
}

/// Eight at a time, each in a place of its own: what compilers turn into vector instructions. NaN is in no order.
template <class Number>
void look_at_eights(const std::byte* at, std::size_t count, std::array<Number, 8>& low, std::array<Number, 8>& high) {
    for (std::size_t i = 0; i + 8 <= count; i += 8) {
        std::array<Number, 8> some;
        std::memcpy(some.data(), at + i * sizeof(Number), sizeof some);
        for (std::size_t j = 0; j < 8; ++j) {
            low[j] = some[j] < low[j] ? some[j] : low[j];
            high[j] = some[j] > high[j] ? some[j] : high[j];
        }
    }
}

/// The smallest and the largest, without NaN and NaT; nothing where there is none.
template <class Number>
void find_extremes(const key_column& keys, std::optional<statistics::number>& min,
                   std::optional<statistics::number>& max) {
    using range = std::numeric_limits<Number>;
    std::array<Number, 8> low, high;
    low.fill(range::has_infinity ? range::infinity() : range::max());
    high.fill(range::has_infinity ? -range::infinity() : range::lowest());
    const bool time = is_time(keys.type);
    std::size_t i = 0;
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
    if (least <= most) {
        min = as_number(least);
        max = as_number(most);
    }
}

/// The first row that is no key or belongs before the one before it; nothing where all are in order.
struct disorder {
    std::size_t row = 0;
    std::string before, found;
    bool no_key = false;
};

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
