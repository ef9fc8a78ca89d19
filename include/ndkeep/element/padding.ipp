// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/element/padding.hpp>.
#pragma once

#include <ndkeep/element/padding.hpp>

#include <cstring>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE padding::padding(const dtype& type) : item_(static_cast<std::size_t>(type.size())) {
    if (type.is_struct())
        add(type, 0);
}

NDKEEP_INLINE void padding::clear(std::byte* elements, std::size_t count) const noexcept {
    for (const gap& g : gaps_)
        for (std::size_t i = 0; i < count; ++i)
            std::memset(elements + i * item_ + g.offset, 0, g.length);
}

NDKEEP_INLINE void padding::add(const dtype& type, std::size_t at) {
    // The fields of a C++ struct are sorted by offset and do not overlap.
    std::size_t end = 0;
    const auto gap_until = [&](std::size_t begin) {
        if (begin > end)
            gaps_.push_back({at + end, begin - end});
    };
    for (const auto& field : type.fields()) {
        const auto offset = static_cast<std::size_t>(field.offset);
        const auto item = static_cast<std::size_t>(field.type.size());
        gap_until(offset);
        end = offset + item * field.count();
        if (field.type.is_struct())
            for (std::size_t i = 0; i < field.count(); ++i)
                add(field.type, at + offset + i * item);
    }
    gap_until(static_cast<std::size_t>(type.size()));
}

}  // namespace ndkeep::detail
