// SPDX-License-Identifier: BSD-3-Clause
// extents: a shape as an argument, from braces of integers or from a range of integers.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/error.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// One extent of a shape. It converts from any integer type, so that `{n, 3}` with `int n` needs no cast.
class length {
  public:
    /// This number of elements along an axis.
    /// @throws mismatch_error  the value is negative
    template <std::integral Integer>
        requires(!std::same_as<Integer, bool>)
    constexpr length(Integer value)  // NOLINT: implicit
        : value_(static_cast<std::size_t>(value)) {
        if (std::cmp_less(value, 0))
            throw mismatch_error({.field = "extent", .expected = "at least 0", .found = std::to_string(value)});
    }
    constexpr operator std::size_t() const noexcept { return value_; }  // NOLINT: implicit

  private:
    std::size_t value_;
};

/// A range of integers that is not a brace list: `a.shape()`, a vector, an array.
template <class R>
concept integer_range = requires(const R& range) {
    { *std::begin(range) } -> std::convertible_to<length>;
    std::end(range);
};

/// A shape of N extents, or of any number of extents. A default-constructed one means that no shape was given.
template <std::size_t N = any_rank>
class extents {
  public:
    extents() = default;

    /// A shape in braces: `{rows, 3}`.
    template <class... Length>
        requires(N != any_rank && sizeof...(Length) == N && (std::convertible_to<Length, length> && ...))
    extents(Length... values)  // NOLINT: implicit, for braces
        : values_{std::size_t{length(values)}...}, given_(true) {}

    extents(std::initializer_list<length> values) requires(N == any_rank)
        : values_(values.begin(), values.end()), given_(true) {}

    /// A shape from a range of integers.
    /// @throws mismatch_error  the number of extents is not N, or one is negative
    template <integer_range Range>
    extents(const Range& range) : given_(true) {  // NOLINT: implicit
        for (const auto& value : range)
            values_.push_back(length(value));
        if (N != any_rank && values_.size() != N)
            throw mismatch_error({.field = "shape", .expected = counted(N, "extent"), .found = shape_text(values_)});
    }

    /// Whether a shape was given.
    [[nodiscard]] bool given() const noexcept { return given_; }
    /// The extents.
    [[nodiscard]] const std::vector<std::size_t>& values() const noexcept { return values_; }

  private:
    std::vector<std::size_t> values_;
    bool given_ = false;
};

}  // namespace ndkeep
