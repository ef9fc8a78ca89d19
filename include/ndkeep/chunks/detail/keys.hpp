// SPDX-License-Identifier: BSD-3-Clause
// Per-chunk minimum and maximum, and the key that rows are ordered by.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/statistics/extremes.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

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
/// The number in row `i` of a column whose dtype has numbers.
[[nodiscard]] statistics::number number_at(const key_column& keys, std::size_t i);
/// The keys of the second field that orders the rows; without numbers if there is none.
[[nodiscard]] key_column second_keys_of(const chunk_state& state, const std::byte* rows, std::size_t count);

/// Calls `use` with a zero of the column's C++ type. Returns false, without a call, if the numbers have no order, are
/// floating-point numbers of two bytes or of more than eight, or are not in native byte order.
template <class Use>
bool with_number(const dtype& type, Use&& use) {
    bool is_called = false;
    const auto call = [&](auto zero) {
        use(zero);
        is_called = true;
    };
    if (type.is_native())
        (void)with_element_type(type, [&call]<class T>(std::type_identity<T>) {
            // A file may store any byte as a bool.
            if constexpr (std::is_same_v<T, bool>)
                call(std::uint8_t());
            else if constexpr (std::is_arithmetic_v<T> && sizeof(T) <= sizeof(double))
                call(T());
        });
    return is_called;
}

/// Whether a number is NaN, or NaT, which NumPy stores as the least int64.
template <class Number>
[[nodiscard]] bool is_no_number(Number number, bool time) {
    if constexpr (std::is_floating_point_v<Number>)
        return is_nan(number);
    else
        return time && std::is_same_v<Number, std::int64_t> &&
               number == static_cast<Number>(std::numeric_limits<std::int64_t>::min());
}

/// Finds the minimum and maximum, ignoring NaN and NaT. Without any other number, `min` and `max` stay as they are.
template <class Number>
void find_extremes(const key_column& keys, std::optional<statistics::number>& min,
                   std::optional<statistics::number>& max) {
    extremes<Number, 8> range;
    const bool time = keys.type.is_time();
    std::size_t i = 0;
    // The fast loop would take NaT for the minimum, so times take the slow one.
    if (keys.stride == sizeof(Number) && !time)
        i = range.add_groups(keys.first, keys.count);
    for (; i < keys.count; ++i) {
        const auto number = keys.at<Number>(i);
        if (!is_no_number(number, time))
            range.add(number);
    }
    if (!range.is_empty()) {
        min = exact_number(range.least());
        max = exact_number(range.greatest());
    }
}

/// Extends a range by the numbers of more rows, ignoring NaN and NaT. Without any other number, it stays as it is.
void extend_range(const key_column& keys, std::optional<statistics::number>& min,
                  std::optional<statistics::number>& max);

/// The first key that is NaN or NaT, or less than the key before it.
struct disorder {
    std::size_t row = 0;
    std::string before, found;  // both keys as text
    bool no_key = false;        // NaN or NaT
};

/// nullopt if all keys are in order. Equal keys are.
template <class Number>
[[nodiscard]] std::optional<disorder> find_disorder(const key_column& keys) {
    const bool time = keys.type.is_time();
    for (std::size_t i = 0; i < keys.count; ++i) {
        const auto number = keys.at<Number>(i);
        if (is_no_number(number, time))
            return disorder{i, {}, time ? "NaT" : "NaN", true};
        if (i > 0 && number < keys.at<Number>(i - 1))
            return disorder{i, number_text(exact_number(keys.at<Number>(i - 1))), number_text(exact_number(number)),
                            false};
    }
    return std::nullopt;
}

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/keys.ipp>
#endif
