// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/segments/column.hpp>: the results of a column.
#pragma once

#include <ndkeep/operators/detail/segments/column.hpp>

#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/element/time_cast.hpp>

#include <bit>
#include <cstring>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE bool segment_column::write(const reducer& of, const column_state& state, column_memory& memory,
                                         std::byte* out) const {
    const auto put = [out](const auto& value) { std::memcpy(out, &value, sizeof value); };
    const auto size = static_cast<std::size_t>(type.size());
    if (of.kind == reduction::first || of.kind == reduction::last) {
        if (state.has_first == 0)
            return false;
        const bool is_first = of.kind == reduction::first;
        const auto* const from = size <= sizeof state.first
                                     ? reinterpret_cast<const std::byte*>((is_first ? state.first : state.last).data())
                                     : reinterpret_cast<const std::byte*>(memory.bytes.data()) + (is_first ? 0 : size);
        std::memcpy(out, from, size);
        return true;
    }
    if (of.kind == reduction::count) {
        put(static_cast<std::int64_t>(state.valid));
        return true;
    }
    if (state.valid == 0 || (nan == nan_rule::propagate && state.missing != 0))
        return false;
    const auto count = static_cast<double>(state.valid);
    const auto total = static_cast<core::wide_count>(state.total_high) << 64 | state.total_low;
    const bool is_floating = type.is_floating_point();
    switch (of.kind) {
    case reduction::min:
    case reduction::max: {
        const auto* const bytes = of.kind == reduction::min ? state.low.data() : state.high.data();
        if (is_floating && size < sizeof(double)) {
            const auto value = std::bit_cast<double>(*bytes);
            (void)core::with_element_type(type, [&]<class T>(std::type_identity<T>) {
                if constexpr (std::is_convertible_v<T, float> && !std::is_integral_v<T>)
                    put(T(static_cast<float>(value)));
            });
        } else {
            std::memcpy(out, bytes, size);
        }
        return true;
    }
    case reduction::sum:
        if (is_floating)
            put(state.sum.total());
        else
            put(state.total_low);
        return true;
    case reduction::mean:
        put((is_floating ? state.sum.total() : static_cast<double>(total)) / count);
        return true;
    case reduction::variance:
        if (!(count > of.parameter))
            return false;
        put(state.spread.variance(count, of.parameter));
        return true;
    case reduction::quantile:
        put(quantile_of(memory.values, of.parameter, memory.scratch));
        return true;
    default:
        return false;
    }
}

}  // namespace ndkeep::detail
