// SPDX-License-Identifier: BSD-3-Clause
// Rows that are merged and erased at random, for tests of late rows: kinds of keys, and rows as lists of bytes.
#pragma once

#include "chunks/keyed_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace late_rows_tests {

namespace nk = ndkeep;

struct pair_row {
    std::int64_t t;
    std::int32_t n;
    std::int32_t value;
};
NDKEEP_FIELDS(pair_row, t, n, value);

/// Rows with few keys, so that many are equal.
struct by_one_field {
    using type = keyed_rows::row;
    using key_type = std::int64_t;
    static nk::order_fields order() { return "t"; }
    static type make(std::mt19937& random) {
        return {static_cast<double>(random() % 3), static_cast<std::int64_t>(random() % 30) - 9};
    }
    static key_type key(const type& row) { return row.t; }
    static bool before(const type& a, const type& b) { return a.t < b.t; }
};

struct by_two_fields {
    using type = pair_row;
    using key_type = std::int64_t;
    static nk::order_fields order() { return {"t", "n"}; }
    static type make(std::mt19937& random) {
        return {static_cast<std::int64_t>(random() % 9), static_cast<std::int32_t>(random() % 4),
                static_cast<std::int32_t>(random() % 2)};
    }
    static key_type key(const type& row) { return row.t; }
    static bool before(const type& a, const type& b) { return a.t != b.t ? a.t < b.t : a.n < b.n; }
};

/// The numbers of an array are its keys.
template <class Number>
struct by_itself {
    using type = Number;
    using key_type = std::conditional_t<std::is_floating_point_v<Number>, double,
                                        std::conditional_t<std::is_signed_v<Number>, std::int64_t, std::uint64_t>>;
    static nk::order_fields order() { return ""; }
    static type make(std::mt19937& random) {
        using limits = std::numeric_limits<Number>;
        if constexpr (limits::is_integer) {
            const Number all[] = {limits::min(),
                                  static_cast<Number>(limits::min() + 1),
                                  0,
                                  1,
                                  2,
                                  3,
                                  4,
                                  5,
                                  static_cast<Number>(limits::max() - 1),
                                  limits::max()};
            return all[random() % std::size(all)];
        } else {
            const Number all[] = {-limits::infinity(),
                                  limits::lowest(),
                                  -1,
                                  -limits::denorm_min(),
                                  Number(-0.0),
                                  0,
                                  limits::denorm_min(),
                                  1,
                                  limits::max(),
                                  limits::infinity()};
            return all[random() % std::size(all)];
        }
    }
    static key_type key(const type& row) { return row; }
    static bool before(type a, type b) { return a < b; }
};

/// The bytes of rows, sorted: equal for arrays that have the same rows.
template <class Rows>
[[nodiscard]] std::vector<std::string> sorted_bytes(const Rows& rows) {
    std::vector<std::string> all;
    for (const auto& row : rows)
        all.emplace_back(reinterpret_cast<const char*>(&row), sizeof row);
    std::sort(all.begin(), all.end());
    return all;
}

template <class Kind>
[[nodiscard]] xt::xtensor<typename Kind::type, 1> random_rows(std::mt19937& random, std::size_t most) {
    xt::xtensor<typename Kind::type, 1> rows(std::array<std::size_t, 1>{random() % (most + 1)});
    for (auto& row : rows)
        row = Kind::make(random);
    std::stable_sort(rows.begin(), rows.end(), Kind::before);
    return rows;
}

/// Merges random rows into an array, and maybe erases some.
template <class Kind>
void change(const std::shared_ptr<nk::memory_place>& place, std::mt19937& random, bool erases, std::size_t most = 8) {
    nk::chunk_writer<typename Kind::type, 1> writer(
        place, {.rows_per_chunk = 1 + random() % 7, .order_by = Kind::order(), .commit = dataset::unsynced});
    writer.merge(random_rows<Kind>(random, most));
    if (erases && random() % 2 == 0) {
        const auto a = Kind::key(Kind::make(random)), b = Kind::key(Kind::make(random));
        (void)writer.erase(std::min(a, b), std::max(a, b));
    }
    writer.commit();
}

/// Removes what a consumer has of the keys of an item.
template <class Kind, class Item>
void forget(std::vector<typename Kind::type>& rows, const Item& item) {
    using key_type = typename Kind::key_type;
    std::erase_if(rows, [&](const auto& row) {
        const auto key = Kind::key(row);
        return key >= std::get<key_type>(item.from()) && (!item.to() || key < std::get<key_type>(*item.to()));
    });
}

}  // namespace late_rows_tests
