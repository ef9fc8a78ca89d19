// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/ordered/codes.hpp>.
#pragma once

#include <ndkeep/chunks/detail/ordered/codes.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/chunks/detail/keys.hpp>
#include <ndkeep/chunks/detail/ordered/key_numbers.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <variant>

namespace ndkeep::inline NDKEEP_ABI::detail {

template <class Number>
[[nodiscard]] key_code code_of_number(Number number) {
    if constexpr (std::is_floating_point_v<Number>)
        return ordered_bits(static_cast<double>(number));
    else if constexpr (std::is_signed_v<Number>)
        return static_cast<key_code>(number) ^ sign_bit;
    else
        return number;
}

NDKEEP_INLINE key_code code_of(const statistics::number& number, char form) {
    return code_from(number, form).value_or(std::numeric_limits<key_code>::max());
}

NDKEEP_INLINE std::optional<key_code> code_from(const statistics::number& bound, char form) {
    const auto number = rounded_up(bound, form);
    if (!number)
        return std::nullopt;
    if (const auto* const whole = std::get_if<std::int64_t>(&*number))
        return code_of_number(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&*number))
        return code_of_number(*count);
    return code_of_number(*std::get_if<double>(&*number));
}

NDKEEP_INLINE std::int64_t period_of(key_code code, char form, std::int64_t length) {
    if (form == 'u')
        return static_cast<std::int64_t>(code / static_cast<key_code>(length));
    if (form == 'i') {
        const auto number = static_cast<std::int64_t>(code ^ sign_bit);
        return number / length - (number % length < 0 ? 1 : 0);
    }
    const double quotient = std::floor(double_of_ordered_bits(code) / static_cast<double>(length));
    constexpr double most = 9e18;
    // NaN, which is refused as a key elsewhere, is in the lowest period.
    return static_cast<std::int64_t>(!(quotient > -most) ? -most : quotient < most ? quotient : most);
}

NDKEEP_INLINE std::size_t row_codes::first_from(key_code code) const {
    return static_cast<std::size_t>(std::lower_bound(first.begin(), first.end(), code) - first.begin());
}

NDKEEP_INLINE std::size_t row_codes::first_above(key_code code) const {
    return static_cast<std::size_t>(std::upper_bound(first.begin(), first.end(), code) - first.begin());
}

NDKEEP_INLINE void row_codes::append(const row_codes& other, std::size_t from, std::size_t to) {
    const auto add = [&](std::vector<key_code>& into, const std::vector<key_code>& of) {
        if (!of.empty())
            into.insert(into.end(), of.begin() + static_cast<std::ptrdiff_t>(from),
                        of.begin() + static_cast<std::ptrdiff_t>(to));
    };
    add(first, other.first);
    add(second, other.second);
}

NDKEEP_INLINE void row_codes::drop(std::size_t count) {
    first.erase(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(count));
    if (!second.empty())
        second.erase(second.begin(), second.begin() + static_cast<std::ptrdiff_t>(count));
}

NDKEEP_INLINE void codes_of(const chunk_state& state, std::span<const std::byte> bytes, std::size_t rows,
                            row_codes& out) {
    const auto fill = [rows](const key_column& keys, std::vector<key_code>& column) {
        (void)with_number(keys.type, [&](auto zero) {
            using number = decltype(zero);
            column.resize(rows);
            for (std::size_t i = 0; i < rows; ++i)
                column[i] = code_of_number(keys.at<number>(i));
        });
    };
    fill(keys_of(state, bytes.data(), rows), out.first);
    fill(second_keys_of(state, bytes.data(), rows), out.second);
}

}  // namespace ndkeep::detail
