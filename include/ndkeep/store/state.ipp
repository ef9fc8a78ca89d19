// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/state.hpp>.
#pragma once

#include <ndkeep/store/state.hpp>

#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/format/header.hpp>

#include <algorithm>
#include <type_traits>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

NDKEEP_INLINE void chunk_table::count_rows() {
    ends.clear();
    std::uint64_t rows = 0;
    for (const auto& entry : entries)
        ends.push_back(rows += entry.rows);
}

NDKEEP_INLINE std::uint64_t chunk_item::rows() const {
    return table == nullptr ? entry.rows : table->rows_before(to) - table->rows_before(from);
}

NDKEEP_INLINE const chunk_entry& chunk_item::at(std::size_t i) const {
    return table == nullptr ? entry : table->entries[from + i];
}

NDKEEP_INLINE std::uint64_t chunk_state::row_bytes() const {
    std::uint64_t bytes = type.size();
    // Not checked here: `record_reader` rejects a record whose product overflows.
    for (const std::size_t extent : row_shape)
        bytes *= extent;
    return bytes;
}

NDKEEP_INLINE std::vector<chunk_entry> chunk_state::entries() const {
    std::vector<chunk_entry> all;
    for (const auto& item : items)
        for (std::size_t i = 0; i < item.count(); ++i)
            all.push_back(item.at(i));
    return all;
}

NDKEEP_INLINE void chunk_state::append(chunk_entry entry) {
    // An entry without rows would put two items at one row, and `check_entry` rejects it in a record.
    if (entry.rows == 0)
        return;
    rows += entry.rows;
    // Rows without bytes need no file of their own, so one entry can count all of them.
    if (entry.nbytes == 0 && !items.empty() && items.back().table == nullptr)
        items.back().entry.rows += entry.rows;
    else
        items.push_back({.entry = std::move(entry)});
}

NDKEEP_INLINE std::optional<std::size_t> chunk_state::split_at(std::uint64_t row) {
    std::uint64_t begin = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::uint64_t end = begin + items[i].rows();
        // Before the next test: a row between two items needs no split, whatever they are.
        if (row == begin)
            return i;
        if (row < end)
            return split_item(i, row - begin);
        begin = end;
    }
    return row == begin ? std::optional(items.size()) : std::nullopt;
}

NDKEEP_INLINE std::pair<std::uint64_t, std::vector<chunk_entry>> chunk_state::between(std::uint64_t first,
                                                                                      std::uint64_t last) const {
    std::pair<std::uint64_t, std::vector<chunk_entry>> out{first, {}};
    std::uint64_t begin = 0;
    for (const auto& item : items) {
        const std::uint64_t end = begin + item.rows();
        if (begin < last && first < end) {
            std::size_t i = 0;
            // Binary search: a table may have many thousands of entries, and a range of rows needs only a few.
            if (item.table != nullptr && first > begin) {
                const auto& ends = item.table->ends;
                const std::uint64_t wanted = item.table->rows_before(item.from) + (first - begin);
                i = static_cast<std::size_t>(
                        std::upper_bound(ends.begin() + static_cast<std::ptrdiff_t>(item.from), ends.end(), wanted) -
                        ends.begin()) -
                    item.from;
            }
            std::uint64_t at = begin + (item.table == nullptr ? 0
                                                              : item.table->rows_before(item.from + i) -
                                                                    item.table->rows_before(item.from));
            for (; i < item.count() && at < last; ++i) {
                if (out.second.empty())
                    out.first = at;
                out.second.push_back(item.at(i));
                at += item.at(i).rows;
            }
        }
        begin = end;
    }
    return out;
}

NDKEEP_INLINE const chunk_entry* chunk_state::last_entry() const {
    return items.empty() ? nullptr : &items.back().at(items.back().count() - 1);
}

NDKEEP_INLINE std::optional<std::size_t> chunk_state::split_item(std::size_t i, std::uint64_t rows_in) {
    chunk_item& item = items[i];
    // A copy, which shares the table. Tables never change, other states may refer to them.
    chunk_item behind = item;
    if (item.table != nullptr) {
        const auto& ends = item.table->ends;
        const std::uint64_t wanted = item.table->rows_before(item.from) + rows_in;
        // The first entry that ends at or after the row. If it ends there, the cut is between two entries.
        const auto at = std::lower_bound(ends.begin(), ends.end(), wanted);
        if (at == ends.end())
            return std::nullopt;
        const auto index = static_cast<std::size_t>(at - ends.begin());
        if (*at != wanted) {
            // Within an entry. Only zeros can be split, and must be taken out of the table first. A file cannot: the
            // rows of an entry are always all rows of its file, or its checksum would not fit.
            if (!item.table->entries[index].file.empty())
                return std::nullopt;
            return cut_zeros_of_table(i, index, wanted - item.table->rows_before(index));
        }
        item.to = behind.from = index + 1;
    } else {
        if (!item.entry.file.empty())
            return std::nullopt;
        const std::uint64_t row_size = item.entry.nbytes / item.entry.rows;
        behind.entry.rows = item.entry.rows - rows_in;
        item.entry.rows = rows_in;
        behind.entry.nbytes = behind.entry.rows * row_size;
        item.entry.nbytes = item.entry.rows * row_size;
    }
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(behind));
    return i + 1;
}

NDKEEP_INLINE std::optional<std::size_t> chunk_state::cut_zeros_of_table(std::size_t i, std::size_t index,
                                                                         std::uint64_t rows_in) {
    const chunk_item whole = items[i];
    std::vector<chunk_item> instead;
    // The ranges before and after it stay in the table; one of them or both may be empty.
    if (index > whole.from)
        instead.push_back({.table = whole.table, .from = whole.from, .to = index});
    instead.push_back({.entry = whole.table->entries[index]});
    const std::size_t zeros = i + instead.size() - 1;
    if (index + 1 < whole.to)
        instead.push_back({.table = whole.table, .from = index + 1, .to = whole.to});
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(i), instead.begin(), instead.end());
    return split_item(zeros, rows_in);
}

}  // namespace core

namespace detail {

NDKEEP_INLINE char number_form(const dtype& type) {
    char form = '\0';
    (void)with_element_type(type, [&form]<class T>(std::type_identity<T>) {
        if constexpr (std::is_integral_v<T>)
            form = std::is_signed_v<T> ? 'i' : 'u';
        // A long double does not fit the eight bytes that a number has in tables and records. No numbers of bfloat16
        // are kept, and its tables have no columns for them. Those of float16 have, because version 0.1 wrote them so.
        else if constexpr (std::is_convertible_v<T, double> && sizeof(T) <= sizeof(double) &&
                           !std::is_same_v<T, bfloat16>)
            form = 'f';
    });
    return form;
}

NDKEEP_INLINE dtype key_type(const chunk_state& state) {
    if (!state.order_by || state.order_by->empty())
        return state.type;
    const auto* const field = state.type.find(*state.order_by);
    // An unknown field gives the empty dtype, whose form is 0: no numbers are kept.
    return field == nullptr ? dtype() : field->type;
}

NDKEEP_INLINE dtype second_key_type(const chunk_state& state) {
    const auto* const field = state.then_by.empty() ? nullptr : state.type.find(state.then_by);
    return field == nullptr ? dtype() : field->type;
}

}  // namespace detail

}  // namespace ndkeep
