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

NDKEEP_INLINE std::uint32_t number_table::add(const std::uint64_t* key, std::size_t at) {
    if (size_ == std::numeric_limits<std::uint32_t>::max() - 1)
        throw mismatch_error({.field = "groups", .expected = "fewer than 2^32", .found = "more"});
    keys_.insert(keys_.end(), key, key + words_);
    slots_[at] = ++size_;
    // Few slots are in use, so that a search hardly ever goes on to the next one, which would cost a mispredicted
    // branch.
    if (std::size_t{size_} * 4 > slots_.size()) {
        std::vector<std::uint32_t> larger(slots_.size() * 4);
        for (std::uint32_t number = 0; number < size_; ++number) {
            std::size_t free = hash(keys_.data() + number * words_, words_) & (larger.size() - 1);
            while (larger[free] != 0)
                free = (free + 1) & (larger.size() - 1);
            larger[free] = number + 1;
        }
        slots_ = std::move(larger);
    }
    return size_ - 1;
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
    for (std::size_t i = 0; i < count; ++i)
        out[i] = words_ == 1 ? table.number_of<1>(keys_.data() + i) : table.number_of(keys_.data() + i * words_);
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
