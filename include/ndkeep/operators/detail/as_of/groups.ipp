// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/as_of/groups.hpp>.
#pragma once

#include <ndkeep/operators/detail/as_of/groups.hpp>

#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

template <std::size_t Words>
std::size_t number_table::first_slot(const std::uint64_t* key) const noexcept {
    const std::size_t words = Words != 0 ? Words : words_;
    std::uint64_t mixed = 0;
    for (std::size_t i = 0; i < words; ++i) {
        mixed = (mixed ^ key[i]) * 0x9e37'79b9'7f4a'7c15U;
        mixed ^= mixed >> 32;
    }
    return static_cast<std::size_t>(mixed) & mask_;
}

template <std::size_t Words>
std::uint64_t* number_table::slot_of(const std::uint64_t* key) noexcept {
    const std::size_t words = Words != 0 ? Words : words_;
    for (std::size_t at = first_slot<Words>(key);; at = (at + 1) & mask_) {
        std::uint64_t* const slot = slots_.data() + at * (words + 1);
        if (*slot == 0 || std::equal(key, key + words, slot + 1))
            return slot;
    }
}

NDKEEP_INLINE void number_table::grow() {
    const std::vector<std::uint64_t> full = std::exchange(slots_, std::vector<std::uint64_t>(slots_.size() * 2));
    mask_ = mask_ * 2 + 1;
    const auto step = static_cast<std::ptrdiff_t>(words_ + 1);
    for (auto slot = full.begin(); slot != full.end(); slot += step)
        if (*slot != 0)
            std::copy(slot, slot + step, slot_of<0>(&*slot + 1));
}

template <std::size_t Words>
void number_table::find(const std::uint64_t* keys, std::size_t count, std::uint32_t* out) {
    const std::size_t words = Words != 0 ? Words : words_;
    // The slots of a large table are not in the cache. The accesses to several of them overlap.
    constexpr std::size_t cached = std::size_t{1} << 15, at_once = 64;
    for (std::size_t i = 0; i < count; ++i) {
        if (i % at_once == 0 && slots_.size() > cached)
            for (std::size_t j = i; j < std::min(count, i + at_once); ++j)
                __builtin_prefetch(slots_.data() + first_slot<Words>(keys + j * words) * (words + 1));
        std::uint64_t* slot = slot_of<Words>(keys + i * words);
        if (*slot == 0) {
            if (size_ == std::numeric_limits<std::uint32_t>::max() - 1)
                throw mismatch_error({.field = "groups", .expected = "fewer than 2^32", .found = "more"});
            // Half of the slots stay free, so that a search seldom goes on to the next one.
            if (std::size_t{size_} * 2 > mask_) {
                grow();
                slot = slot_of<Words>(keys + i * words);
            }
            *slot = ++size_;
            std::copy_n(keys + i * words, words, slot + 1);
        }
        out[i] = static_cast<std::uint32_t>(*slot - 1);
    }
}

NDKEEP_INLINE void number_table::numbers_of(const std::uint64_t* keys, std::size_t count, std::uint32_t* out) {
    if (words_ == 1)
        find<1>(keys, count, out);
    else
        find<0>(keys, count, out);
}

NDKEEP_INLINE void group_reader::read(std::size_t first, std::size_t count, number_table& table, std::uint32_t* out) {
    const auto step = static_cast<std::ptrdiff_t>(words_ * sizeof(std::uint64_t));
    for (const auto& [from, offset, bytes, is_swapped] : fields_) {
        std::byte* const key = reinterpret_cast<std::byte*>(keys_.data()) + offset;
        copy_run(key, step, from.at(first), from.step, count, bytes);
        if (is_swapped) {
            const std::size_t width = core::swap_width(from.type);
            for (std::size_t i = 0; i < count; ++i) {
                std::byte* const each = key + static_cast<std::ptrdiff_t>(i) * step;
                core::swap_bytes(each, each, bytes / width, width);
            }
        }
    }
    table.numbers_of(keys_.data(), count, out);
}

NDKEEP_INLINE void group_reader::read_all(std::size_t count, number_table& table, group_numbers& out) {
    out = {std::unique_ptr<std::uint32_t[]>(new std::uint32_t[count]), count};
    for (std::size_t first = 0; first < count; first += block)
        read(first, std::min(block, count - first), table, out.data.get() + first);
}

NDKEEP_INLINE void row_groups::read_all(std::size_t left_count, std::size_t right_count) {
    if (right.data == nullptr)
        right_reader.read_all(right_count, table, right);
    if (left.data == nullptr)
        left_reader.read_all(left_count, table, left);
}

NDKEEP_INLINE row_groups groups_of(const row_memory& left, const row_memory& right,
                                   const std::vector<std::string>& by) {
    if (by.empty())
        return {};
    std::vector<group_field> of_left, of_right;
    std::size_t end = 0;
    for (const auto& name : by) {
        auto a = field_of(left, name), b = field_of(right, name);
        const auto& type = a.field.type;
        const bool is_comparable = type.kind() == b.field.type.kind() && !type.is_struct() &&
                                   !b.field.type.is_struct() && a.field.shape == b.field.shape &&
                                   (!type.is_time() || core::same_time_unit(type, b.field.type)) &&
                                   // A shorter text is followed by zeros, which NumPy leaves out of comparisons.
                                   (type.size() == b.field.type.size() || (type.is_text() && a.field.shape.empty()));
        if (!is_comparable)
            throw mismatch_error({.field = "field " + ndkeep::quoted(name),
                                  .expected = type.is_struct() ? "a plain type" : ndkeep::quoted(type.str()),
                                  .found = b.field.type.is_struct()
                                               ? b.field.type.descr()
                                               : ndkeep::quoted(b.field.type.str()) +
                                                     (a.field.shape == b.field.shape ? "" : " in another shape"),
                                  .hint = "groups are compared by their bytes"});
        const auto add = [&](field_memory& part, std::vector<group_field>& fields) {
            const auto bytes = static_cast<std::size_t>(part.field.nbytes());
            fields.push_back({std::move(part.rows), end, bytes, !part.field.type.is_native()});
            return bytes;
        };
        const std::size_t bytes = add(a, of_left);
        end += std::max(bytes, add(b, of_right));
    }
    const std::size_t words = std::max<std::size_t>(1, (end + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
    row_groups groups;
    groups.is_plain = false;
    groups.table = number_table(words);
    groups.left_reader = group_reader(std::move(of_left), words);
    groups.right_reader = group_reader(std::move(of_right), words);
    return groups;
}

}  // namespace ndkeep::detail
