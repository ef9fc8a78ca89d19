// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/statistics/running_statistics.hpp>.
#pragma once

#include <ndkeep/statistics/running_statistics.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/float_environment.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/statistics/block.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE running_statistics::running_statistics(const dtype& type) : type_(type) {
    for (const auto& field : type.fields()) {
        found_.fields.emplace_back(field.name, statistics{});
        inner_.emplace_back(field.type);
    }
}

NDKEEP_INLINE void running_statistics::update(const std::byte* elements, std::size_t count) {
    if (type_.is_struct())
        update_fields(elements, count);
    else
        update_values(elements, static_cast<std::ptrdiff_t>(type_.size()), count);
}

NDKEEP_INLINE std::size_t running_statistics::width() const {
    std::size_t sum = 1;
    for (const auto& field : inner_)
        sum += field.width();
    return sum;
}

NDKEEP_INLINE void running_statistics::append(const running_statistics& later) {
    found_ = found_.count == 0 ? later.found_ : detail::merged(found_, later.found_);
    for (std::size_t i = 0; i < inner_.size(); ++i)
        inner_[i].append(later.inner_[i]);
}

NDKEEP_INLINE statistics running_statistics::values() const {
    statistics found = found_;
    for (std::size_t i = 0; i < inner_.size(); ++i)
        found.fields[i].second = inner_[i].values();
    return found;
}

NDKEEP_INLINE void running_statistics::update_fields(const std::byte* elements, std::size_t count) {
    found_.count += count;
    const auto item = static_cast<std::size_t>(type_.size());
    // A tiny file can claim 2^62 elements of 0 bytes, which must not be looped over. No elements have no address
    // either.
    if (item == 0 || count == 0)
        return;
    for (std::size_t i = 0; i < inner_.size(); ++i) {
        const auto& field = type_.fields()[i];
        const auto many = static_cast<std::size_t>(field.count());
        const std::byte* const first = elements + field.offset;
        // The usual field: one call for all elements instead of one for each.
        if (many == 1 && !field.type.is_struct()) {
            inner_[i].update_values(first, static_cast<std::ptrdiff_t>(item), count);
            continue;
        }
        for (std::size_t j = 0; j < count; ++j)
            inner_[i].update(first + j * item, many);
    }
}

NDKEEP_INLINE void running_statistics::update_values(const std::byte* elements, std::ptrdiff_t step,
                                                     std::size_t count) {
    const auto item = static_cast<std::size_t>(type_.size());
    if (!type_.is_number() && !type_.is_time()) {
        found_.count += count;
        return;
    }
    const detail::default_arithmetic to_nearest;
    // Copies of elements that are strided, misaligned or in the other byte order. Short pieces need no allocation.
    alignas(16) std::array<std::byte, 4096> few;
    detail::buffer many;
    while (count > 0) {
        const std::size_t some = std::min(count, detail::summary_block);
        // 16 bytes are the largest alignment of an element, that of a long double.
        const bool ready = step == static_cast<std::ptrdiff_t>(item) && type_.is_native() &&
                           reinterpret_cast<std::uintptr_t>(elements) % 16 == 0;
        const std::byte* block = elements;
        if (!ready) {
            // The first block is the largest, so one allocation is enough.
            if (some * item > few.size() && many.size() == 0)
                many = detail::buffer(some * item);
            std::byte* const copy = some * item > few.size() ? many.data() : few.data();
            detail::copy_run(copy, static_cast<std::ptrdiff_t>(item), elements, step, some, item);
            if (!type_.is_native())
                detail::swap_bytes(copy, copy, some * (item / detail::swap_width(type_)), detail::swap_width(type_));
            block = copy;
        }
        const auto found = detail::summary_of_block(type_, block, some);
        found_ = found_.count == 0 ? found : detail::merged(found_, found);
        elements += step * static_cast<std::ptrdiff_t>(some);
        count -= some;
    }
}

}  // namespace ndkeep
