// SPDX-License-Identifier: BSD-3-Clause
// What a description says of an array's values.
#pragma once

#include <ndkeep/version.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Statistics of an array, or of one field of a structured one. Which are there depends on the kind: numbers have all,
/// complex numbers no order, dates no mean, text and bytes only a count, structs a count and their fields.
struct statistics {
    /// Exact: a 64-bit count of a date is no double.
    using number = std::variant<std::int64_t, std::uint64_t, double>;

    std::uint64_t count = 0;                    ///< elements, those of sub-arrays one by one
    std::uint64_t nan = 0;                      ///< of them NaN or NaT; the numbers below leave them out
    std::optional<number> min = {}, max = {};   ///< absent without numbers
    std::optional<double> mean = {};            ///< real part for complex numbers
    std::optional<double> mean_imaginary = {};  ///< only of complex numbers
    std::optional<double> std = {};             ///< of the population: divided by the count
    std::vector<std::pair<std::string, statistics>> fields = {};

    [[nodiscard]] const statistics* find(std::string_view field) const;
};

namespace detail {

// By hand, as std::visit and the comparison of variants take long to compile.
[[nodiscard]] double as_double(const statistics::number& number);

[[nodiscard]] bool less(const statistics::number& a, const statistics::number& b);

}  // namespace detail

namespace core {

/// Statistics of two arrays as if they were one (Chan, Golub, LeVeque 1979 for the deviation).
[[nodiscard]] statistics merged(const statistics& a, const statistics& b);

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/statistics.ipp>
#endif
