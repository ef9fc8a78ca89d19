// SPDX-License-Identifier: BSD-3-Clause
// Keys of rows as unsigned numbers in the same order, so that one loop serves every dtype.
#pragma once

#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The code of a key: of two keys, the greater one has the greater code. Equal keys have equal codes, also 0.0 and
/// -0.0.
using key_code = std::uint64_t;

/// The code of a stored number, which has the form of the keys.
/// @param form  of the keys: see `number_form`
[[nodiscard]] key_code code_of(const statistics::number& number, char form);

/// The code of the least key that is not below a bound, which may be a number of any form. nullopt if there is none.
[[nodiscard]] std::optional<key_code> code_from(const statistics::number& bound, char form);

/// The number of the period that a key is in: the quotient by the length of a period, rounded down.
/// @param length  at least 1
[[nodiscard]] std::int64_t period_of(key_code code, char form, std::int64_t length);

/// The codes of consecutive rows.
struct row_codes {
    std::vector<key_code> first, second;  // second: empty if one field orders the rows

    [[nodiscard]] std::size_t size() const noexcept { return first.size(); }
    /// Whether row `i` is before row `j` of other rows.
    [[nodiscard]] bool less(std::size_t i, const row_codes& other, std::size_t j) const {
        return first[i] != other.first[j] ? first[i] < other.first[j] : !second.empty() && second[i] < other.second[j];
    }
    [[nodiscard]] bool equal(std::size_t i, const row_codes& other, std::size_t j) const {
        return first[i] == other.first[j] && (second.empty() || second[i] == other.second[j]);
    }
    /// The first row whose first code is not below `code`, of rows in order.
    [[nodiscard]] std::size_t first_from(key_code code) const;
    /// The first row whose first code is above `code`.
    [[nodiscard]] std::size_t first_above(key_code code) const;
    /// Adds rows `from` to `to` of other rows.
    void append(const row_codes& other, std::size_t from, std::size_t to);
    /// Removes the first `count` rows.
    void drop(std::size_t count);
};

/// The codes of rows that are ordered by `state.order_by`.
/// @param out  receives them; its memory is used again
void codes_of(const chunk_state& state, std::span<const std::byte> bytes, std::size_t rows, row_codes& out);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/ordered/codes.ipp>
#endif
