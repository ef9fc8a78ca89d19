// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/statistics.hpp>.
#pragma once

#include <ndkeep/format/statistics.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/bytes/float_environment.hpp>
#include <ndkeep/error.hpp>

#include <cmath>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE const statistics* statistics::find(std::string_view field) const {
    for (const auto& [name, values] : fields)
        if (name == field)
            return &values;
    return nullptr;
}

namespace detail {

NDKEEP_INLINE double as_double(const statistics::number& number) {
    if (const auto* const whole = std::get_if<std::int64_t>(&number))
        return static_cast<double>(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&number))
        return static_cast<double>(*count);
    return *std::get_if<double>(&number);
}

NDKEEP_INLINE bool less(const statistics::number& a, const statistics::number& b) {
    // Integers of the same type are compared as such: two that differ can be equal as doubles.
    const bool alike = a.index() == b.index();
    if (const auto* const whole = std::get_if<std::int64_t>(&a); alike && whole != nullptr)
        return *whole < *std::get_if<std::int64_t>(&b);
    if (const auto* const count = std::get_if<std::uint64_t>(&a); alike && count != nullptr)
        return *count < *std::get_if<std::uint64_t>(&b);
    return as_double(a) < as_double(b);
}

NDKEEP_INLINE void refuse_statistic(const char* field, const statistics::number* number) {
    std::string found = "absent";
    if (number != nullptr) {
        if (const auto* const whole = std::get_if<std::int64_t>(number))
            found = std::to_string(*whole);
        else if (const auto* const count = std::get_if<std::uint64_t>(number))
            found = std::to_string(*count);
        else
            found = "a floating-point number";
    }
    throw mismatch_error({.field = field,
                          .expected = number == nullptr ? "a number" : "one that the requested type can hold",
                          .found = std::move(found)});
}

}  // namespace detail

namespace core {

NDKEEP_INLINE statistics merged(const statistics& a, const statistics& b) {
    const detail::default_arithmetic to_nearest;
    statistics both;
    both.count = a.count + b.count;
    both.nan = a.nan + b.nan;
    const auto pick = [](const auto& x, const auto& y, bool least) {
        if (!x || !y)
            return x ? x : y;
        return detail::less(*y, *x) == least ? y : x;
    };
    both.min = pick(a.min, b.min, true);
    both.max = pick(a.max, b.max, false);
    // NaN have no part in the mean, so they do not count as weight.
    const auto n = static_cast<double>(a.count - a.nan);
    const auto m = static_cast<double>(b.count - b.nan);
    // A side without a mean has no numbers, or a kind without means. The other side alone decides then.
    if (!a.mean || !b.mean) {
        both.mean = a.mean ? a.mean : b.mean;
        both.mean_imaginary = a.mean ? a.mean_imaginary : b.mean_imaginary;
        both.std = a.mean ? a.std : b.std;
    } else {
        double apart = 0;
        const auto mean = [&](double x, double y) {
            // Infinite: the difference below would be NaN for inf - inf.
            if (!detail::is_finite(x) || !detail::is_finite(y)) {
                apart = std::numeric_limits<double>::quiet_NaN();
                return x + y;
            }
            const double step = y - x;
            // For complex numbers both parts add to the squared distance of the means.
            apart += step * step;
            // A weighted sum n * x + m * y could overflow where the mean does not, and would lose digits.
            return x + step * (m / (n + m));
        };
        both.mean = mean(*a.mean, *b.mean);
        if (a.mean_imaginary && b.mean_imaginary)
            both.mean_imaginary = mean(*a.mean_imaginary, *b.mean_imaginary);
        if (a.std && b.std)
            // The squares within each part, and those of the distance between the two means.
            both.std = std::sqrt((n * *a.std * *a.std + m * *b.std * *b.std + apart * n * (m / (n + m))) / (n + m));
    }
    // A field absent on one side would describe only a part of the rows.
    for (const auto& [name, values] : a.fields)
        if (const auto* const others = b.find(name))
            both.fields.emplace_back(name, merged(values, *others));
    return both;
}

}  // namespace core

}  // namespace ndkeep
