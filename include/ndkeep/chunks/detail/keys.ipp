// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/keys.hpp>.
#pragma once

#include <ndkeep/chunks/detail/keys.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE key_column keys_of(const chunk_state& state, const std::byte* rows, std::size_t count) {
    const auto item = static_cast<std::size_t>(state.type.size());
    key_column keys{state.type, rows, item, count};
    for (const std::size_t extent : state.row_shape)
        keys.count *= extent;
    // Rows that are ordered by a field are single structs (state_for_rows), so that there is one key per row.
    if (state.order_by && !state.order_by->empty())
        if (const auto* const field = state.type.find(*state.order_by)) {
            keys.type = field->type;
            keys.first += field->offset;
        }
    return keys;
}

NDKEEP_INLINE key_column second_keys_of(const chunk_state& state, const std::byte* rows, std::size_t count) {
    const auto* const field = state.then_by.empty() ? nullptr : state.type.find(state.then_by);
    if (field == nullptr)
        return {};
    return {field->type, rows + field->offset, static_cast<std::size_t>(state.type.size()), count};
}

NDKEEP_INLINE statistics::number number_at(const key_column& keys, std::size_t i) {
    statistics::number found;
    (void)with_number(keys.type, [&](auto zero) { found = exact_number(keys.at<decltype(zero)>(i)); });
    return found;
}

NDKEEP_INLINE void extend_range(const key_column& keys, std::optional<statistics::number>& min,
                                std::optional<statistics::number>& max) {
    std::optional<statistics::number> low, high;
    (void)with_number(keys.type, [&](auto number) { find_extremes<decltype(number)>(keys, low, high); });
    if (low && (!min || less(*low, *min)))
        min = low;
    if (high && (!max || less(*max, *high)))
        max = high;
}

}  // namespace ndkeep::detail
