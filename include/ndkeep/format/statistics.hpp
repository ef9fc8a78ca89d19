// SPDX-License-Identifier: BSD-3-Clause
// What a description says of an array's values.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ndkeep {

/// Statistics of an array, or of one field of a structured one. Which are there depends on the kind: numbers have all,
/// complex numbers no order, dates no mean, text and bytes only a count, structs a count and their fields.
struct statistics {
    /// Exact: a 64-bit count of a date is no double.
    using number = std::variant<std::int64_t, std::uint64_t, double>;

    std::uint64_t count = 0;                    ///< elements, those of sub-arrays one by one
    std::uint64_t nan = 0;                      ///< of them NaN or NaT; the numbers below leave them out
    std::optional<number> min = {}, max = {};   ///< absent without numbers
    std::optional<double> mean = {};            ///< real part for complex numbers
    std::optional<double> mean_imaginary = {};  ///< only of complex numbers
    std::optional<double> std = {};             ///< of the population: divided by the count
    std::vector<std::pair<std::string, statistics>> fields = {};

    [[nodiscard]] const statistics* find(std::string_view field) const {
        for (const auto& [name, values] : fields)
            if (name == field)
                return &values;
        return nullptr;
    }
};

namespace detail {

// By hand, as std::visit and the comparison of variants take long to compile.
[[nodiscard]] inline double as_double(const statistics::number& number) {
    if (const auto* const whole = std::get_if<std::int64_t>(&number))
        return static_cast<double>(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&number))
        return static_cast<double>(*count);
    return *std::get_if<double>(&number);
}

[[nodiscard]] inline bool less(const statistics::number& a, const statistics::number& b) {
    const bool alike = a.index() == b.index();
    if (const auto* const whole = std::get_if<std::int64_t>(&a); alike && whole != nullptr)
        return *whole < *std::get_if<std::int64_t>(&b);
    if (const auto* const count = std::get_if<std::uint64_t>(&a); alike && count != nullptr)
        return *count < *std::get_if<std::uint64_t>(&b);
    return as_double(a) < as_double(b);
}

/// Statistics of two arrays as if they were one (Chan, Golub, LeVeque 1979 for the deviation).
[[nodiscard]] inline statistics merged(const statistics& a, const statistics& b) {
    statistics both;
    both.count = a.count + b.count;
    both.nan = a.nan + b.nan;
    const auto pick = [](const auto& x, const auto& y, bool least) {
        if (!x || !y)
            return x ? x : y;
        return less(*y, *x) == least ? y : x;
    };
    both.min = pick(a.min, b.min, true);
    both.max = pick(a.max, b.max, false);
    const auto n = static_cast<double>(a.count - a.nan);
    const auto m = static_cast<double>(b.count - b.nan);
    if (!a.mean || !b.mean) {
        both.mean = a.mean ? a.mean : b.mean;
        both.mean_imaginary = a.mean ? a.mean_imaginary : b.mean_imaginary;
        both.std = a.mean ? a.std : b.std;
    } else {
        double apart = 0;
        const auto mean = [&](double x, double y) {
            constexpr double largest = std::numeric_limits<double>::max();
            if (std::abs(x) > largest || std::abs(y) > largest) {  // infinite: inf - inf below would be NaN
                apart = std::numeric_limits<double>::quiet_NaN();
                return x + y;
            }
            const double step = y - x;
            apart += step * step;
            return x + step * (m / (n + m));
        };
        both.mean = mean(*a.mean, *b.mean);
        if (a.mean_imaginary && b.mean_imaginary)
            both.mean_imaginary = mean(*a.mean_imaginary, *b.mean_imaginary);
        if (a.std && b.std)
            both.std = std::sqrt((n * *a.std * *a.std + m * *b.std * *b.std + apart * n * (m / (n + m))) / (n + m));
    }
    for (const auto& [name, values] : a.fields)
        if (const auto* const others = b.find(name))
            both.fields.emplace_back(name, merged(values, *others));
    return both;
}

}  // namespace detail

}  // namespace ndkeep
