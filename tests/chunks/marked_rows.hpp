// SPDX-License-Identifier: BSD-3-Clause
// Rows of two integers, ordered by the first one.
#pragma once

#include "chunks/dataset.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <ostream>
#include <vector>

namespace marked_rows {

namespace nk = ndkeep;

struct mark {
    std::int64_t t, v;
};
NDKEEP_FIELDS(mark, t, v);
inline bool operator==(const mark& a, const mark& b) { return a.t == b.t && a.v == b.v; }
inline std::ostream& operator<<(std::ostream& out, const mark& m) { return out << m.t << ':' << m.v; }

using marks = std::vector<mark>;

template <class T>
[[nodiscard]] xt::xtensor<T, 1> rows_of(const std::vector<T>& of) {
    xt::xtensor<T, 1> rows(std::array<std::size_t, 1>{of.size()});
    std::copy(of.begin(), of.end(), rows.begin());
    return rows;
}
/// For lists in braces.
[[nodiscard]] inline xt::xtensor<mark, 1> rows_of(const marks& of) { return rows_of<mark>(of); }

template <class T = mark>
[[nodiscard]] std::vector<T> all_rows(const nk::dataset_location& where) {
    const auto rows = nk::load_chunked<T, 1>(where);
    return {rows.begin(), rows.end()};
}

}  // namespace marked_rows
