// SPDX-License-Identifier: BSD-3-Clause
// The merge of an as-of: for each left key, the row of the right side.
#pragma once

#include <ndkeep/operators/as_of_options.hpp>
#include <ndkeep/operators/detail/as_of/groups.hpp>
#include <ndkeep/operators/detail/as_of/keys.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Both sides of an as-of.
struct as_of_sides {
    common_form form = {};
    side_keys left = {}, right = {};
    row_groups groups = {};
};

/// The keys and groups of two arrays.
[[nodiscard]] as_of_sides sides_of(const row_memory& left, const row_memory& right, const std::string& on,
                                   const std::vector<std::string>& by);

/// The largest distance of two keys, in the type of the form.
struct distance_limit {
    bool is_limited = false;
    std::uint64_t whole = 0;
    double real = 0;

    /// Whether two keys, of which `low` is not above `high`, are near enough.
    [[nodiscard]] bool allows(std::int64_t low, std::int64_t high) const {
        return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) <= whole;
    }
    template <class Number>
    [[nodiscard]] bool allows(Number low, Number high) const {
        return low == high || high - low <= static_cast<Number>(real);
    }
};

/// @throws mismatch_error  a negative tolerance, NaN, or one that does not fit the keys
[[nodiscard]] distance_limit limit_of(const as_of_tolerance& tolerance, const common_form& form);

/// Whether one distance of two keys is greater than another; of each, the lower key comes first.
template <class Number>
[[nodiscard]] bool is_farther(Number low, Number high, Number other_low, Number other_high) {
    // As unsigned numbers the distances of all integers fit. Equal infinities have the distance 0.
    const auto distance = [](Number from, Number to) {
        if constexpr (std::numeric_limits<Number>::is_integer)
            return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
        else
            return from == to ? Number{0} : to - from;
    };
    return distance(low, high) > distance(other_low, other_high);
}

/// Which rows match.
struct as_of_rule {
    as_of_direction direction = backward;
    distance_limit limit = {};
    bool exact = true;
};

/// Puts the right row for each left row to `out`; -1 is no row. The groups of all right rows are read.
/// @throws mismatch_error  keys that are not in order, or missing
void match_rows(as_of_sides& sides, const as_of_rule& rule, std::int64_t* out);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/as_of/match.ipp>
#endif
