// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/values.hpp>.
#pragma once

#include <ndkeep/pickle/detail/values.hpp>

#include <ndkeep/os/mapping.hpp>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::string_view pickled_kind_name(pickled_kind kind) {
    switch (kind) {
    case pickled_kind::none:
        return "None";
    case pickled_kind::boolean:
        return "a boolean";
    case pickled_kind::integer:
    case pickled_kind::large:
        return "an integer";
    case pickled_kind::real:
        return "a real number";
    case pickled_kind::complex_number:
        return "a complex number";
    case pickled_kind::text:
        return "text";
    case pickled_kind::bytes:
    case pickled_kind::old_text:
        return "bytes";
    case pickled_kind::list:
        return "a list";
    case pickled_kind::tuple:
        return "a tuple";
    case pickled_kind::set:
        return "a set";
    case pickled_kind::dictionary:
        return "a dictionary";
    case pickled_kind::global:
        return "a name";
    case pickled_kind::call:
        return "an object";
    case pickled_kind::array:
        return "an array";
    case pickled_kind::element_type:
        return "a dtype";
    }
    return "a value";
}

NDKEEP_INLINE void pickled_values::grow(pickled_sequence& sequence, std::size_t more) {
    const std::size_t least = sequence.size + more;
    // The last sequence of a part grows in place.
    if (sequence.items != nullptr && sequence.items + sequence.room == free_ && left_ >= least - sequence.room) {
        left_ -= least - sequence.room;
        free_ += least - sequence.room;
        sequence.room = least;
        return;
    }
    const std::size_t room = sequence.size == 0 ? more : std::max(least, 2 * sequence.size);
    if (left_ < room) {
        // Parts become larger, for fewer parts and large pages.
        constexpr std::size_t least_part = 8192, most_part = std::size_t{1} << 20;
        part_ = std::clamp(2 * part_, least_part, most_part);
        left_ = std::max(part_, room);
        memory_.emplace_back(new pickled_id[left_]);
        free_ = memory_.back().get();
        prefer_huge_pages(std::as_writable_bytes(std::span(free_, left_)));
    }
    std::copy_n(sequence.items, sequence.size, free_);
    sequence.items = free_;
    sequence.room = room;
    free_ += room;
    left_ -= room;
}

}  // namespace ndkeep::detail
