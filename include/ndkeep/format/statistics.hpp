// SPDX-License-Identifier: BSD-3-Clause
// Statistics of an array: count, minimum, maximum, mean and standard deviation, and how two of them are merged.
#pragma once

#include <ndkeep/version.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Statistics of an array, or of one field of a structured array.
///
/// The kind decides which are present: all for numbers, no minimum and maximum for complex numbers, no mean and
/// standard deviation for dates, only a count for text and bytes, a count and the fields for structs.
struct statistics {
    /// An exact value, as in `std::get<double>(*s.min)`: double for floating-point numbers, std::int64_t for signed
    /// integers and dates, std::uint64_t for unsigned integers and bool. A double cannot hold every 64-bit integer, and
    /// a date is a 64-bit count of its unit.
    using number = std::variant<std::int64_t, std::uint64_t, double>;

    std::uint64_t count = 0;                    ///< elements; a sub-array counts as many as it has
    std::uint64_t nan = 0;                      ///< elements that are NaN or NaT; the numbers below leave them out
    std::optional<number> min = {}, max = {};   ///< absent if all values are NaN, or none exist
    std::optional<double> mean = {};            ///< the real part for complex numbers
    std::optional<double> mean_imaginary = {};  ///< only for complex numbers
    std::optional<double> std = {};             ///< of the population, so divided by the count and not by count - 1
    std::vector<std::pair<std::string, statistics>> fields = {};  ///< of a structured array, in the order of the dtype

    /// The statistics of a field; nullptr if absent.
    [[nodiscard]] const statistics* find(std::string_view field) const;

    /// The minimum as a T. Only a floating-point T may round: it cannot hold every 64-bit integer.
    /// @throws mismatch_error  absent, or T cannot hold it
    template <class T>
        requires std::is_arithmetic_v<T>
    [[nodiscard]] T min_as() const;
    /// The maximum as a T.
    /// @throws mismatch_error  as `min_as`
    template <class T>
        requires std::is_arithmetic_v<T>
    [[nodiscard]] T max_as() const;
};

namespace detail {

/// `value` as one of the three types of statistics::number. Only a long double may be rounded.
template <class T>
    requires std::is_arithmetic_v<T>
[[nodiscard]] statistics::number exact_number(T value) {
    if constexpr (std::is_floating_point_v<T>)
        return static_cast<double>(value);
    else if constexpr (std::is_signed_v<T>)
        return std::int64_t{value};
    else
        return std::uint64_t{value};
}

// Written out, because std::visit and the comparison of variants are slow to compile.
[[nodiscard]] double as_double(const statistics::number& number);

[[nodiscard]] bool less(const statistics::number& a, const statistics::number& b);

/// @param number  nullptr if absent
/// @throws mismatch_error  always
[[noreturn]] void refuse_statistic(const char* field, const statistics::number* number);

template <class T>
[[nodiscard]] T statistic_as(const std::optional<statistics::number>& number, const char* field) {
    if (!number)
        refuse_statistic(field, nullptr);
    if constexpr (std::is_floating_point_v<T>) {
        return static_cast<T>(as_double(*number));
    } else {
        static_assert(!std::is_same_v<T, bool>, "a minimum or maximum of bool is 0 or 1: ask for an integer");
        if (const auto* const whole = std::get_if<std::int64_t>(&*number); whole != nullptr && std::in_range<T>(*whole))
            return static_cast<T>(*whole);
        if (const auto* const count = std::get_if<std::uint64_t>(&*number);
            count != nullptr && std::in_range<T>(*count))
            return static_cast<T>(*count);
        refuse_statistic(field, &*number);
    }
}

}  // namespace detail

template <class T>
    requires std::is_arithmetic_v<T> T statistics::min_as()
const { return detail::statistic_as<T>(min, "min"); }

template <class T>
    requires std::is_arithmetic_v<T> T statistics::max_as()
const { return detail::statistic_as<T>(max, "max"); }

namespace core {

/// The statistics of two arrays together, as if they were one. Keeps only the fields that both have.
/// @see Chan, Golub and LeVeque, 1979, for the standard deviation
[[nodiscard]] statistics merged(const statistics& a, const statistics& b);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/statistics.ipp>
#endif
