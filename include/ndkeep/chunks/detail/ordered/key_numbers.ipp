// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/ordered/key_numbers.hpp>.
#pragma once

#include <ndkeep/chunks/detail/ordered/key_numbers.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <variant>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// `rounded_up` for keys that are integers.
template <class Whole>
[[nodiscard]] std::optional<statistics::number> rounded_up_to(const statistics::number& bound) {
    using limits_of = std::numeric_limits<Whole>;
    const auto clamped = [](auto whole) -> std::optional<statistics::number> {
        if (std::cmp_greater(whole, limits_of::max()))
            return std::nullopt;
        return std::cmp_less(whole, limits_of::min()) ? limits_of::min() : static_cast<Whole>(whole);
    };
    if (const auto* const whole = std::get_if<std::int64_t>(&bound))
        return clamped(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&bound))
        return clamped(*count);
    const double up = std::ceil(*std::get_if<double>(&bound));
    // The least double that is too large is a power of two, and so exact; the largest Whole is not.
    const double too_large = std::ldexp(1.0, limits_of::digits);
    if (up >= too_large)
        return std::nullopt;
    return up <= static_cast<double>(limits_of::min()) ? limits_of::min() : static_cast<Whole>(up);
}

/// The least double that is not less than an integer.
template <class Whole>
[[nodiscard]] double double_from(Whole whole) {
    const auto near = static_cast<double>(whole);
    const bool is_less = near < std::ldexp(1.0, std::numeric_limits<Whole>::digits) && static_cast<Whole>(near) < whole;
    return is_less ? std::nextafter(near, std::numeric_limits<double>::infinity()) : near;
}

NDKEEP_INLINE std::optional<statistics::number> rounded_up(const statistics::number& bound, char form) {
    if (form == 'i')
        return rounded_up_to<std::int64_t>(bound);
    if (form == 'u')
        return rounded_up_to<std::uint64_t>(bound);
    if (const auto* const whole = std::get_if<std::int64_t>(&bound))
        return double_from(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&bound))
        return double_from(*count);
    return bound;
}

NDKEEP_INLINE std::optional<statistics::number> next_above(const statistics::number& key) {
    const auto next = [](auto whole) -> std::optional<statistics::number> {
        if (whole == std::numeric_limits<decltype(whole)>::max())
            return std::nullopt;
        return ++whole;
    };
    if (const auto* const whole = std::get_if<std::int64_t>(&key))
        return next(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&key))
        return next(*count);
    const double real = *std::get_if<double>(&key),
                 above = std::nextafter(real, std::numeric_limits<double>::infinity());
    return above == real ? std::nullopt : std::optional<statistics::number>(above);
}

NDKEEP_INLINE bool ends_before(const std::optional<statistics::number>& a, const std::optional<statistics::number>& b) {
    return a && (!b || less(*a, *b));
}

}  // namespace ndkeep::detail
