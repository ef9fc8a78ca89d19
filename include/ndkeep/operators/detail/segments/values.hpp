// SPDX-License-Identifier: BSD-3-Clause
// Values of a field of any type: how they are read from rows, in which type they are compared, and which are missing.
#pragma once

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A date or duration, whose least number is NaT.
struct time_number {
    std::int64_t count;
};

/// Elements that are only copied.
struct raw_element {};

/// The type in which values are compared.
template <class T>
using compared = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t,
                                    std::conditional_t<std::is_same_v<T, time_number>, std::int64_t,
                                                       std::conditional_t<std::is_integral_v<T>, T, double>>>;

template <class T>
inline constexpr bool is_whole = std::is_integral_v<T>;
template <class T>
inline constexpr bool is_complex_number = requires {
    typename T::value_type;
};
template <class T>
inline constexpr bool is_real =
    !is_whole<T> && !is_complex_number<T> && !std::is_same_v<T, time_number> && !std::is_same_v<T, raw_element>;

template <class T>
[[nodiscard]] inline T value_at(const std::byte* at) {
    if constexpr (std::is_same_v<T, bool>) {
        return *at != std::byte{0};  // a file may store any byte as a bool
    } else {
        T value;
        std::memcpy(&value, at, sizeof value);
        return value;
    }
}

template <class T>
[[nodiscard]] inline bool is_missing(const T& value) {
    if constexpr (is_complex_number<T>)
        return is_nan(value.real()) || is_nan(value.imag());
    else if constexpr (std::is_same_v<T, time_number>)
        return value.count == std::numeric_limits<std::int64_t>::min();
    else if constexpr (std::is_floating_point_v<T>)
        return is_nan(value);
    else if constexpr (is_real<T>)
        return is_nan(static_cast<float>(value));
    else
        return false;
}

}  // namespace ndkeep::detail
