// SPDX-License-Identifier: BSD-3-Clause
// Ordered rows for tests of keys: datasets from lists of chunks.
#pragma once

#include "chunks/dataset.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace keyed_rows {

namespace nk = ndkeep;

struct row {
    double value;
    std::int64_t t;
};
NDKEEP_FIELDS(row, value, t);

using keys = std::vector<std::int64_t>;
using reader = nk::chunk_reader<row, 1>;

/// Rows with these keys, and values that count up from `first`.
[[nodiscard]] inline xt::xtensor<row, 1> rows_with(const keys& of, double first = 0) {
    xt::xtensor<row, 1> rows(std::array<std::size_t, 1>{of.size()});
    for (std::size_t i = 0; i < of.size(); ++i)
        rows(i) = {first + static_cast<double>(i), of[i]};
    return rows;
}

/// Adds one chunk for each list of keys, as far as there are fewer than eight, which the writer would merge. A new
/// dataset is ordered by `t`. The values count the rows.
inline void append_chunks(const nk::dataset_location& where, const std::vector<keys>& chunks) {
    nk::chunk_writer<row, 1> writer(where, {.rows_per_chunk = 1000, .order_by = "t", .commit = dataset::unsynced});
    for (const auto& chunk : chunks) {
        writer.append(rows_with(chunk, static_cast<double>(writer.rows())));
        writer.commit();
    }
}

[[nodiscard]] inline std::int64_t key_of(const row& each) { return each.t; }
[[nodiscard]] inline std::int64_t key_of(std::int64_t each) { return each; }

template <class Rows>
[[nodiscard]] keys keys_of(const Rows& rows) {
    keys all;
    for (const auto& each : rows)
        all.push_back(key_of(each));
    return all;
}

}  // namespace keyed_rows
