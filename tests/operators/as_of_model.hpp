// SPDX-License-Identifier: BSD-3-Clause
// Random rows, and an as-of that searches all right rows for each left row.
#pragma once

#include <ndkeep/operators.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace as_of_model {

namespace nk = ndkeep;

struct left_row {
    std::int64_t time;
    std::int32_t group;
    std::int32_t id;
};
NDKEEP_FIELDS(left_row, time, group, id);

struct right_row {
    std::int32_t group;  // with padding behind it
    std::int64_t time;
    double id;
};
NDKEEP_FIELDS(right_row, group, time, id);

template <class Row>
using rows = xt::xtensor<Row, 1>;

/// @param in_order  all rows; otherwise only those of each group
template <class Row>
[[nodiscard]] rows<Row> random_rows(std::mt19937& random, std::size_t count, bool in_order) {
    auto all = rows<Row>::from_shape({count});
    std::array<std::int64_t, 4> last{};
    for (std::size_t i = 0; i < count; ++i) {
        const auto group = static_cast<std::int32_t>(random() % 4);
        std::int64_t& time = last[in_order ? 0 : static_cast<std::size_t>(group)];
        time += static_cast<std::int64_t>(random() % 3);
        all(i) = Row{};
        all(i).time = time;
        all(i).group = group;
        all(i).id = static_cast<decltype(Row::id)>(i + 1);
    }
    return all;
}

struct rule {
    nk::as_of_direction direction;
    bool exact;
    int tolerance;  // -1: none
    bool by;

    [[nodiscard]] nk::as_of_options options() const {
        nk::as_of_options all{.on = "time", .direction = direction, .exact = exact};
        if (by)
            all.by = {"group"};
        if (tolerance >= 0)
            all.tolerance = tolerance;
        return all;
    }
};

[[nodiscard]] inline rule random_rule(std::mt19937& random, bool by) {
    constexpr std::array directions{nk::backward, nk::forward, nk::nearest};
    const auto direction = directions[random() % 3];
    const bool exact = random() % 2 == 0;
    return {direction, exact, static_cast<int>(random() % 5) - 1, by};
}

/// For each left row the last `window` right rows, the oldest first; -1 is none.
[[nodiscard]] inline std::vector<std::vector<std::int64_t>>
searched(const rows<left_row>& left, const rows<right_row>& right, const rule& asked, std::size_t window) {
    std::vector<std::vector<std::int64_t>> all;
    for (const left_row& each : left) {
        std::int64_t before = -1, after = -1;
        const auto is_candidate = [&](std::size_t j) { return !asked.by || right(j).group == each.group; };
        for (std::size_t j = 0; j < right.size(); ++j) {
            if (!is_candidate(j))
                continue;
            const auto time = right(j).time;
            if (time < each.time || (asked.exact && time == each.time))
                before = static_cast<std::int64_t>(j);
            if (after < 0 && (time > each.time || (asked.exact && time == each.time)))
                after = static_cast<std::int64_t>(j);
        }
        const auto distance = [&](std::int64_t row) {
            const auto time = right(static_cast<std::size_t>(row)).time;
            return time < each.time ? each.time - time : time - each.time;
        };
        std::int64_t found = asked.direction == nk::forward ? after : before;
        if (asked.direction == nk::nearest && after >= 0 && (before < 0 || distance(after) < distance(before)))
            found = after;
        if (found >= 0 && asked.tolerance >= 0 && distance(found) > asked.tolerance)
            found = -1;
        std::vector<std::int64_t> last(window, -1);
        for (std::size_t j = window; j-- > 0 && found >= 0;) {
            last[j] = found;
            do
                --found;
            while (found >= 0 && !is_candidate(static_cast<std::size_t>(found)));
        }
        all.push_back(std::move(last));
    }
    return all;
}

}  // namespace as_of_model
