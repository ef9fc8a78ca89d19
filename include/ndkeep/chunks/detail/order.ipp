// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/order.hpp>.
#pragma once

#include <ndkeep/chunks/detail/order.hpp>

#include <ndkeep/chunks/detail/keys.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::string order_text(const chunk_state& state) {
    if (!state.order_by)
        return "none";
    if (state.order_by->empty())
        return "the array itself";
    return ndkeep::quoted(*state.order_by) + (state.then_by.empty() ? "" : " and " + ndkeep::quoted(state.then_by));
}

NDKEEP_INLINE bool less(const row_key& a, const row_key& b) {
    if (less(a.first, b.first) || !a.second || !b.second)
        return less(a.first, b.first);
    return !less(b.first, a.first) && less(*a.second, *b.second);
}

[[nodiscard]] NDKEEP_INLINE std::string key_text(const row_key& key) {
    return key.second ? '(' + number_text(key.first) + ", " + number_text(*key.second) + ')' : number_text(key.first);
}

NDKEEP_INLINE std::pair<row_key, row_key> row_order::ends_of(std::span<const std::byte> bytes, std::size_t rows) const {
    const auto keys = keys_of(state_, bytes.data(), rows), second = second_keys_of(state_, bytes.data(), rows);
    const auto key = [&](std::size_t i) {
        return row_key{number_at(keys, i), second.count == 0 ? std::nullopt : std::optional(number_at(second, i))};
    };
    return {key(0), key(rows - 1)};
}

NDKEEP_INLINE void row_order::check_sorted(std::span<const std::byte> bytes, std::size_t rows) const {
    const auto keys = keys_of(state_, bytes.data(), rows), second = second_keys_of(state_, bytes.data(), rows);
    std::optional<disorder> wrong;
    (void)with_number(keys.type, [&](auto zero) { wrong = find_disorder<decltype(zero)>(keys); });
    if (wrong)
        refuse_given(wrong->row, wrong->no_key ? "a number" : "at least " + wrong->before, wrong->found);
    // Between rows whose first key is equal, the second decides.
    (void)with_number(second.type, [&](auto zero) {
        using number = decltype(zero);
        for (std::size_t i = 0; i < rows; ++i) {
            if (is_no_number(second.at<number>(i), second.type.is_time()))
                refuse_given(i, "a number", second.type.is_time() ? "NaT" : "NaN");
            if (i == 0 || !(second.at<number>(i) < second.at<number>(i - 1)))
                continue;
            const row_key before = ends_of(bytes.subspan((i - 1) * second.stride, second.stride), 1).first,
                          found = ends_of(bytes.subspan(i * second.stride, second.stride), 1).first;
            if (less(found, before))
                refuse_given(i, "at least " + key_text(before), key_text(found));
        }
    });
}

NDKEEP_INLINE void row_order::refuse(std::uint64_t row, const row_key& before, const row_key& found) const {
    throw mismatch_error({.file = called_,
                          .field = "key of row " + std::to_string(row),
                          .expected = "at least " + key_text(before),
                          .found = key_text(found),
                          .hint = hint()});
}

NDKEEP_INLINE void row_order::refuse_given(std::size_t row, std::string expected, std::string found) const {
    throw mismatch_error({.file = called_,
                          .field = "key of the given row " + std::to_string(row),
                          .expected = std::move(expected),
                          .found = std::move(found),
                          .hint = hint()});
}

}  // namespace ndkeep::detail
