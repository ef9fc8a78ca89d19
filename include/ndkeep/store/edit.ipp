// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/edit.hpp>.
#pragma once

#include <ndkeep/store/edit.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::uint64_t rows_of(const std::vector<chunk_entry>& entries) {
    std::uint64_t rows = 0;
    for (const auto& entry : entries)
        rows += entry.rows;
    return rows;
}

NDKEEP_INLINE void rename_entries(chunk_edit& edit, const std::map<std::string, chunk_entry>& renamed) {
    if (renamed.empty())
        return;
    for (auto& entry : edit.removed)
        if (const auto at = renamed.find(entry.file); at != renamed.end())
            entry = at->second;
    for (std::string* const name : {&edit.before, &edit.after})
        if (const auto at = renamed.find(*name); at != renamed.end())
            *name = at->second.file;
}

NDKEEP_INLINE bool edit_maker::make(const chunk_edit& edit, std::string& why) {
    row_ = edit.what == chunk_edit::kind::append ? state_.rows : edit.first_row;
    switch (edit.what) {
    case chunk_edit::kind::append:
        return append(edit, why);
    case chunk_edit::kind::replace:
    case chunk_edit::kind::merge:
        return replace(edit, why);
    case chunk_edit::kind::by_key:
        return change_by_key(edit, why);
    case chunk_edit::kind::grow:
        // The caller asked for a total number of rows, which these would not give on top of another number.
        if (state_.rows != edit.first_row) {
            why = "changed the number of rows";
            return false;
        }
        add(edit);
        return true;
    case chunk_edit::kind::replace_all:
        state_.items.clear();
        state_.rows = 0;
        // A loop's position belongs to the rows that it has written here, and these are replaced.
        state_.notes.clear();
        state_.type = edit.anew->type;
        state_.row_shape = edit.anew->row_shape;
        state_.order_by = edit.anew->order_by;
        state_.then_by = edit.anew->then_by;
        state_.sum = edit.anew->sum;
        if (state_.is_absent()) {
            state_.metadata = json(json::value_t::object);
            // Writers that have the array open must not commit into one that is made again in its place.
            ++state_.epoch;
        }
        state_.rewritten = number_;
        add(edit);
        return true;
    case chunk_edit::kind::set_note:
        // Another process that runs the same loop has written the same rows. To apply this edit too would store them
        // twice, so it is always a conflict.
        if (const auto present = state_.notes.find(edit.note);
            (present == state_.notes.end() ? 0 : present->second.step) != edit.from_step) {
            why = "moved " + ndkeep::quoted(edit.note) + " on";
            return false;
        }
        state_.notes[edit.note] = edit.noted;
        return true;
    }
    return false;
}

NDKEEP_INLINE void edit_maker::add(const chunk_edit& edit) {
    for (const auto& entry : edit.added)
        state_.append(entry);
}

NDKEEP_INLINE bool edit_maker::append(const chunk_edit& edit, std::string& why) {
    // The last key is read from the state at hand: another writer may have appended since the rows were checked.
    const auto* const last = state_.last_entry();
    // Behind the entry that it was checked against, nothing needs to be known.
    const bool is_checked = last == nullptr || (!edit.before.empty() && last->file == edit.before);
    if (state_.order_by && !is_checked && !edit.added.empty() && edit.added.front().min &&
        (!last->max || !may_follow(*edit.added.front().min, *last->max))) {
        why = state_.then_by.empty() ? "appended rows with larger keys" : "appended rows with larger or equal keys";
        return false;
    }
    add(edit);
    return true;
}

NDKEEP_INLINE bool edit_maker::replace(const chunk_edit& edit, std::string& why) {
    // Files never change, so rows are unchanged if their entries name the same files. Comparing names is enough.
    const std::uint64_t rows = rows_of(edit.removed);
    const std::uint64_t end_row = edit.first_row + rows;
    why = "changed the same rows";
    if (end_row > state_.rows || !holds(edit.first_row, edit.removed))
        return false;
    // Another number of rows is allowed only at the end of the array: later rows would get other numbers.
    if (rows_of(edit.added) != rows && end_row != state_.rows) {
        why = "appended rows after these";
        return false;
    }
    // The order was checked when the rows were staged, but the neighbours may have changed since.
    if (!keeps_order(edit.first_row, end_row, edit.added)) {
        why = "changed the rows next to these, whose keys are out of order with them now";
        return false;
    }
    if (!put_between(edit.first_row, end_row, edit.added))
        return false;
    // A merge leaves all rows as they were, so a loop may resume from an older commit.
    if (edit.what == chunk_edit::kind::replace)
        state_.rewritten = number_;
    return true;
}

NDKEEP_INLINE bool edit_maker::put_between(std::uint64_t first_row, std::uint64_t end_row,
                                           const std::vector<chunk_entry>& added) {
    // The first split may insert an item, so the second index is found after it. Only zeros can be split.
    const auto begin = state_.split_at(first_row);
    const auto end = begin ? state_.split_at(end_row) : std::nullopt;
    if (!end)
        return false;
    const auto at = [&](std::size_t i) { return state_.items.begin() + static_cast<std::ptrdiff_t>(i); };
    state_.items.erase(at(*begin), at(*end));
    std::vector<chunk_item> items;
    for (const auto& entry : added)
        if (entry.rows != 0)
            items.push_back({.entry = entry});
    state_.items.insert(at(*begin), items.begin(), items.end());
    state_.rows = state_.rows - (end_row - first_row) + rows_of(added);
    return true;
}

NDKEEP_INLINE bool edit_maker::change_by_key(const chunk_edit& edit, std::string& why) {
    why = "changed rows next to these";
    const auto row = row_of(edit);
    if (!row)
        return false;
    row_ = *row;
    const std::uint64_t end_row = *row + rows_of(edit.removed), rows = state_.rows;
    if (!put_between(*row, end_row, edit.added))
        return false;
    // New rows at the end leave all others as they were.
    if (*row + edit.unchanged < rows)
        state_.rewritten = number_;
    return true;
}

NDKEEP_INLINE std::optional<std::uint64_t> edit_maker::row_of(const chunk_edit& edit) const {
    // The names of the entry before, of the entries to remove, and of the entry behind must follow each other.
    std::vector<std::string_view> wanted;
    if (!edit.before.empty())
        wanted.push_back(edit.before);
    for (const auto& entry : edit.removed)
        wanted.push_back(entry.file);
    if (!edit.after.empty())
        wanted.push_back(edit.after);
    if (wanted.empty())
        return state_.rows == 0 ? std::optional<std::uint64_t>(0) : std::nullopt;
    std::uint64_t row = 0, begin = 0;
    std::size_t found = 0;
    bool is_first = true;
    for (const auto& item : state_.items)
        for (std::size_t i = 0; i < item.count(); ++i) {
            const auto& entry = item.at(i);
            if (found == wanted.size())
                return edit.after.empty() ? std::nullopt : std::optional(begin);  // more follows
            if (entry.file == wanted[found]) {
                // The array must begin here if nothing was before.
                if (found == 0 && edit.before.empty() && !is_first)
                    return std::nullopt;
                if (found == (edit.before.empty() ? 0U : 1U))
                    begin = row;
                ++found;
            } else if (found != 0) {
                return std::nullopt;
            }
            row += entry.rows;
            is_first = false;
        }
    if (found != wanted.size())
        return std::nullopt;
    // Without entries to remove and without one behind, the rows go to the end.
    return edit.removed.empty() && edit.after.empty() ? row : begin;
}

NDKEEP_INLINE bool edit_maker::keeps_order(std::uint64_t first_row, std::uint64_t end_row,
                                           const std::vector<chunk_entry>& added) const {
    if (!state_.order_by || added.empty())
        return true;
    if (first_row > 0) {
        const auto before = state_.between(first_row - 1, first_row).second.front();
        if (before.max && added.front().min && !may_follow(*added.front().min, *before.max))
            return false;
    }
    if (end_row < state_.rows) {
        const auto behind = state_.between(end_row, end_row + 1).second.front();
        if (behind.min && added.back().max && !may_follow(*behind.min, *added.back().max))
            return false;
    }
    return true;
}

NDKEEP_INLINE bool edit_maker::may_follow(const statistics::number& behind, const statistics::number& before) const {
    return rebased_ && !state_.then_by.empty() ? less(before, behind) : !less(behind, before);
}

NDKEEP_INLINE bool edit_maker::holds(std::uint64_t first_row, const std::vector<chunk_entry>& wanted) const {
    const auto [begin, there] = state_.between(first_row, first_row + rows_of(wanted));
    // Brings both lists to one form: files with their first row, and runs of zeros with their end. Zeros are first cut
    // to the asked range, because an entry of zeros may reach beyond it on both sides.
    auto runs = [](std::uint64_t at, std::uint64_t first, std::uint64_t last, const std::vector<chunk_entry>& entries) {
        std::vector<std::pair<std::string, std::uint64_t>> out;
        for (const auto& entry : entries) {
            const std::uint64_t from = entry.file.empty() ? std::max(at, first) : at;
            const std::uint64_t to = entry.file.empty() ? std::min(at + entry.rows, last) : at + entry.rows;
            at += entry.rows;
            if (entry.file.empty() && !out.empty() && out.back().first.empty())
                out.back().second = to;
            else
                out.emplace_back(entry.file, entry.file.empty() ? to : from);
        }
        return out;
    };
    const std::uint64_t last = first_row + rows_of(wanted);
    return runs(begin, first_row, last, there) == runs(first_row, first_row, last, wanted);
}

}  // namespace ndkeep::detail
