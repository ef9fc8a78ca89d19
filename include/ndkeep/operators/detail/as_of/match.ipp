// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/operators/detail/as_of/match.hpp>.
//
// 1. For each left key, the number of right keys below it, or not above it, is counted by two pointers that only go
//    forward. Without groups that is the row that was sought, or the one after it.
// 2. With groups, the last row of each group is kept on the way. Forward, a second pass, from the end, keeps
//    the next row.
// 3. If the rows are in order in each group only, they are sorted by group, and step 1 runs on each group.
// 4. The nearer of two rows is chosen, and rows that are too far are removed.
#pragma once

#include <ndkeep/operators/detail/as_of/match.hpp>

#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE as_of_sides sides_of(const row_memory& left, const row_memory& right, const std::string& on,
                                   const std::vector<std::string>& by) {
    const auto left_keys = key_rows(left, on), right_keys = key_rows(right, on);
    as_of_sides sides{.form = common_form::of(left_keys.type, right_keys.type)};
    sides.left = keys_in(left_keys, sides.form);
    sides.right = keys_in(right_keys, sides.form);
    sides.groups = groups_of(left, right, by);
    return sides;
}

NDKEEP_INLINE distance_limit limit_of(const as_of_tolerance& tolerance, const common_form& form) {
    distance_limit limit;
    if (!tolerance.is_limited())
        return limit;
    limit.is_limited = true;
    const auto refuse = [](std::string expected, std::string found) {
        return mismatch_error({.field = "tolerance", .expected = std::move(expected), .found = std::move(found)});
    };
    std::int64_t count = 0;
    if (const auto* const real = std::get_if<double>(&tolerance.most())) {
        if (is_nan(*real) || *real < 0)
            throw refuse("at least 0", is_nan(*real) ? "NaN" : form.text(*real));
        limit.real = *real;
        constexpr double over = 18446744073709551616.0;
        limit.whole = *real < over ? static_cast<std::uint64_t>(*real) : std::numeric_limits<std::uint64_t>::max();
    } else if (const auto* const whole = std::get_if<std::uint64_t>(&tolerance.most())) {
        limit.whole = *whole;
        limit.real = static_cast<double>(*whole);
    } else {
        count = *std::get_if<std::int64_t>(&tolerance.most());
        if (count < 0)
            throw refuse("at least 0", std::to_string(count));
        limit.whole = static_cast<std::uint64_t>(count);
        limit.real = static_cast<double>(count);
    }
    const bool has_unit = form.type.is_time() && !form.type.unit().empty();
    if (has_unit != tolerance.unit().has_value())
        throw refuse(has_unit ? "a duration, as for times of " + ndkeep::quoted(form.type.str())
                              : "a number, as for keys of " + ndkeep::quoted(form.type.str()),
                     has_unit ? "a number" : "a duration");
    if (has_unit) {
        const auto keys = dtype::time('m', form.type.unit(), form.type.multiple());
        if (const auto cast = core::time_cast::between(*tolerance.unit(), keys)) {
            if (cast->uses_average_lengths())
                throw refuse("a duration of whole " + std::string(find_unit(keys.unit())->plural), "another duration");
            // Whole units are compared, so a fraction of one may be dropped.
            const auto units = (*cast)(count);
            limit.whole = units ? static_cast<std::uint64_t>(*units) : std::numeric_limits<std::uint64_t>::max();
        }
    }
    return limit;
}

/// Which sides are not in order.
struct unordered_sides {
    bool left = false, right = false;
};

/// Checks that keys are in order and not missing. It only sets a flag, so that it does not disturb the prediction of
/// the two branches of the merge.
template <class Number>
struct ascending_check {
    Number last{};
    bool is_wrong = false;

    ascending_check(const common_form& form, const side_keys& keys) {
        if (keys.count == 0)
            return;
        last = keys.at<Number>(0);
        // In order, NaT can only be the first one.
        is_wrong = form.is_missing(last);
    }
    void add(Number key) {
        if constexpr (!std::numeric_limits<Number>::is_integer)
            is_wrong |= is_nan(key);
        is_wrong |= key < last;
        last = key;
    }
};

/// Step 1: the number of right keys that are below each left key, or with `Equal` not above it, minus `shift`.
template <bool Equal, class Number>
[[nodiscard]] unordered_sides count_keys(const common_form& form, const side_keys& left, const side_keys& right,
                                         std::int64_t shift, std::int64_t* out) {
    std::size_t row = 0;
    ascending_check<Number> left_order(form, left), right_order(form, right);
    for (std::size_t i = 0; i < left.count; ++i) {
        const auto key = left.at<Number>(i);
        left_order.add(key);
        for (; row < right.count; ++row) {
            const auto next = right.at<Number>(row);
            if (Equal ? next > key : !(next < key))
                break;
            right_order.add(next);
        }
        out[i] = static_cast<std::int64_t>(row) - shift;
    }
    for (; row < right.count; ++row)
        right_order.add(right.at<Number>(row));
    return {left_order.is_wrong, right_order.is_wrong};
}

template <class Number>
[[nodiscard]] unordered_sides count_keys(const common_form& form, const side_keys& left, const side_keys& right,
                                         bool equal, std::int64_t shift, std::int64_t* out) {
    return equal ? count_keys<true, Number>(form, left, right, shift, out)
                 : count_keys<false, Number>(form, left, right, shift, out);
}

/// Throws the error about the first row that is missing or below the row before.
template <class Number>
void refuse_disorder(const common_form& form, const side_keys& keys) {
    for (std::size_t i = 0; i < keys.count; ++i) {
        const auto key = keys.at<Number>(i);
        if (form.is_missing(key) || (i != 0 && key < keys.at<Number>(i - 1)))
            refuse_key<Number>(keys, form, i, i == 0 ? 0 : i - 1, "sort the rows by their key");
    }
}

/// Turns counts that are all rows into -1: no row follows.
inline void end_rows(std::int64_t* rows, std::size_t count, std::size_t right) {
    // Counts ascend, so these are the last ones.
    while (count != 0 && rows[count - 1] == static_cast<std::int64_t>(right))
        rows[--count] = -1;
}

/// Step 2, backward: the last row of each group, in one pass over keys and groups of both sides.
template <bool Equal, class Number>
[[nodiscard]] unordered_sides sweep_backward(as_of_sides& sides, std::int64_t* out) {
    const auto& [form, left, right, ignored] = sides;
    row_groups& groups = sides.groups;
    constexpr std::size_t block = group_reader::block;
    groups.right = {std::unique_ptr<std::uint32_t[]>(new std::uint32_t[right.count]), right.count};
    std::vector<std::uint32_t> left_groups(block);
    std::vector<std::int64_t> known;  // of each group, the last row
    std::size_t row = 0, read = 0;    // right rows that were passed, and whose groups were read
    const auto ready = [&](const std::uint32_t* of, std::size_t count) {
        known.resize(groups.table.size(), -1);
        constexpr std::size_t cached = std::size_t{1} << 15;
        if (known.size() > cached)
            for (std::size_t i = 0; i < count; ++i)
                __builtin_prefetch(known.data() + of[i]);
    };
    const auto read_right = [&, &all = right] {
        const std::size_t count = std::min(block, all.count - read);
        groups.right_reader.read(read, count, groups.table, groups.right.data.get() + read);
        ready(groups.right.data.get() + read, count);
        read += count;
    };
    ascending_check<Number> left_order(form, left), right_order(form, right);
    for (std::size_t first = 0; first < left.count; first += block) {
        const std::size_t count = std::min(block, left.count - first);
        groups.left_reader.read(first, count, groups.table, left_groups.data());
        ready(left_groups.data(), count);
        for (std::size_t i = 0; i < count; ++i) {
            const auto key = left.at<Number>(first + i);
            left_order.add(key);
            for (; row < right.count; ++row) {
                const auto next = right.at<Number>(row);
                if (Equal ? next > key : !(next < key))
                    break;
                right_order.add(next);
                if (row == read)
                    read_right();
                known[groups.right.data[row]] = static_cast<std::int64_t>(row);
            }
            out[first + i] = known[left_groups[i]];
        }
    }
    for (; row < right.count; ++row)
        right_order.add(right.at<Number>(row));
    while (read < right.count)
        read_right();
    return {left_order.is_wrong, right_order.is_wrong};
}

/// Step 2, forward: `rows` has the counts of step 1, and receives the rows.
inline void sweep_forward(const row_groups& groups, std::int64_t* rows) {
    std::vector<std::int64_t> known(groups.table.size(), -1);  // of each group, the next row
    auto row = static_cast<std::int64_t>(groups.right.size);
    for (std::size_t i = groups.left.size; i-- > 0;) {
        while (row > rows[i]) {
            --row;
            known[groups.right.data[static_cast<std::size_t>(row)]] = row;
        }
        rows[i] = known[groups.left.data[i]];
    }
}

/// The rows of one side, sorted by group; the rows of one group stay in order.
struct sorted_rows {
    std::vector<std::size_t> rows, ends;  // ends: of each group
};
[[nodiscard]] inline sorted_rows sorted_by_group(const group_numbers& groups, std::uint32_t count) {
    sorted_rows sorted;
    sorted.ends.assign(std::size_t{count} + 1, 0);
    for (std::size_t i = 0; i < groups.size; ++i)
        ++sorted.ends[groups.data[i] + 1];
    for (std::size_t i = 1; i < sorted.ends.size(); ++i)
        sorted.ends[i] += sorted.ends[i - 1];
    sorted.rows.resize(groups.size);
    // Each begin moves to the end of its group, which is the begin of the next one.
    for (std::size_t i = 0; i < groups.size; ++i)
        sorted.rows[sorted.ends[groups.data[i]]++] = i;
    sorted.ends.pop_back();
    return sorted;
}

/// The keys in another order, checked within each group.
template <class Number>
[[nodiscard]] std::vector<Number> sorted_keys(const common_form& form, const side_keys& keys,
                                              const sorted_rows& sorted) {
    std::vector<Number> out(keys.count);
    std::size_t begin = 0;
    for (const std::size_t end : sorted.ends) {
        for (std::size_t i = begin; i < end; ++i) {
            out[i] = keys.at<Number>(sorted.rows[i]);
            if (form.is_missing(out[i]) || (i != begin && out[i] < out[i - 1]))
                refuse_key<Number>(keys, form, sorted.rows[i], sorted.rows[i == begin ? i : i - 1],
                                   "sort the rows of each group by their key");
        }
        begin = end;
    }
    return out;
}

/// Step 3.
template <class Number>
void match_groups(const as_of_sides& sides, bool forward, bool equal, std::int64_t* out) {
    const auto left = sorted_by_group(sides.groups.left, sides.groups.table.size());
    const auto right = sorted_by_group(sides.groups.right, sides.groups.table.size());
    const auto left_keys = sorted_keys<Number>(sides.form, sides.left, left);
    const auto right_keys = sorted_keys<Number>(sides.form, sides.right, right);
    const auto part = [](const std::vector<Number>& keys, std::size_t begin, std::size_t end) {
        return side_keys{reinterpret_cast<const std::byte*>(keys.data() + begin), sizeof(Number), end - begin};
    };
    std::vector<std::int64_t> counts(sides.left.count);
    std::size_t a = 0, b = 0;
    for (std::size_t group = 0; group < left.ends.size(); ++group) {
        const std::size_t a_end = left.ends[group], b_end = right.ends[group];
        (void)count_keys<Number>(sides.form, part(left_keys, a, a_end), part(right_keys, b, b_end), equal, 0,
                                 counts.data() + a);
        for (std::size_t i = a; i < a_end; ++i) {
            const auto count = static_cast<std::size_t>(counts[i]);
            const bool is_found = forward ? b + count < b_end : count != 0;
            out[left.rows[i]] =
                is_found ? static_cast<std::int64_t>(right.rows[b + count - (forward ? 0 : 1)]) : std::int64_t{-1};
        }
        a = a_end;
        b = b_end;
    }
}

/// Steps 1 to 3: the last row before each left key, or the first row after it.
template <class Number>
void match_one_way(as_of_sides& sides, bool forward, bool exact, std::int64_t* out) {
    const auto& [form, left, right, ignored] = sides;
    row_groups& groups = sides.groups;
    const bool equal = forward != exact;
    if (groups.is_plain) {
        const auto found = count_keys<Number>(form, left, right, equal, forward ? 0 : 1, out);
        if (found.left || found.right) {
            refuse_disorder<Number>(form, left);
            refuse_disorder<Number>(form, right);
        }
        if (forward)
            end_rows(out, left.count, right.count);
        return;
    }
    unordered_sides found;
    if (!forward) {
        found = equal ? sweep_backward<true, Number>(sides, out) : sweep_backward<false, Number>(sides, out);
    } else {
        groups.read_all(left.count, right.count);
        found = count_keys<Number>(form, left, right, equal, 0, out);
    }
    if (found.left || found.right) {
        groups.read_all(left.count, right.count);
        match_groups<Number>(sides, forward, equal, out);
    } else if (forward) {
        sweep_forward(groups, out);
    }
}

/// Step 4: of each left row, the nearer one of the rows in `out` and in `after`, if it is within the limit.
template <class Number>
void choose_rows(const as_of_sides& sides, const as_of_rule& rule, const std::int64_t* after, std::int64_t* out) {
    const auto key_of = [&](std::int64_t row) { return sides.right.at<Number>(static_cast<std::size_t>(row)); };
    for (std::size_t i = 0; i < sides.left.count; ++i) {
        const auto key = sides.left.at<Number>(i);
        if (after != nullptr && after[i] >= 0 &&
            (out[i] < 0 || is_farther<Number>(key_of(out[i]), key, key, key_of(after[i]))))
            out[i] = after[i];
        if (rule.limit.is_limited && out[i] >= 0) {
            const auto found = key_of(out[i]);
            if (!(found < key ? rule.limit.allows(found, key) : rule.limit.allows(key, found)))
                out[i] = -1;
        }
    }
}

NDKEEP_INLINE void match_rows(as_of_sides& sides, const as_of_rule& rule, std::int64_t* out) {
    with_key(sides.form, [&]<class Number>(Number) {
        match_one_way<Number>(sides, rule.direction == as_of_direction::forward, rule.exact, out);
        if (rule.direction != nearest && !rule.limit.is_limited)
            return;
        std::vector<std::int64_t> after(rule.direction == nearest ? sides.left.count : 0);
        if (rule.direction == nearest)
            match_one_way<Number>(sides, true, rule.exact, after.data());
        choose_rows<Number>(sides, rule, rule.direction == nearest ? after.data() : nullptr, out);
    });
}

}  // namespace ndkeep::detail
