// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/order.hpp>.
#pragma once

#include <ndkeep/chunks/detail/order.hpp>

#include <ndkeep/chunks/detail/keys.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::string order_text(const std::optional<std::string>& order) {
    return !order ? "none" : order->empty() ? "the array itself" : ndkeep::quoted(*order);
}

NDKEEP_INLINE std::pair<row_order::number, row_order::number> row_order::ends_of(std::span<const std::byte> bytes,
                                                                                 std::size_t rows) const {
    const auto keys = keys_of(state_, bytes.data(), rows);
    std::pair<number, number> ends;
    (void)with_number(keys.type, [&](auto zero) {
        ends = {exact_number(keys.at<decltype(zero)>(0)), exact_number(keys.at<decltype(zero)>(rows - 1))};
    });
    return ends;
}

NDKEEP_INLINE void row_order::check_sorted(std::span<const std::byte> bytes, std::size_t rows) const {
    const auto keys = keys_of(state_, bytes.data(), rows);
    std::optional<disorder> wrong;
    (void)with_number(keys.type, [&](auto zero) { wrong = find_disorder<decltype(zero)>(keys); });
    if (wrong)
        throw mismatch_error({.file = called_,
                              .field = "key of the given row " + std::to_string(wrong->row),
                              .expected = wrong->no_key ? "a number" : "at least " + wrong->before,
                              .found = wrong->found,
                              .hint = hint()});
}

NDKEEP_INLINE void row_order::refuse(std::uint64_t row, const statistics::number& before,
                                     const statistics::number& found) const {
    throw mismatch_error({.file = called_,
                          .field = "key of row " + std::to_string(row),
                          .expected = "at least " + number_text(before),
                          .found = number_text(found),
                          .hint = hint()});
}

}  // namespace ndkeep::detail
