// SPDX-License-Identifier: BSD-3-Clause
// extremes: the least and the greatest of some numbers.
#pragma once

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The least and the greatest of the numbers that are added. A NaN changes neither. Each of the `Lanes` has its own, so
/// that compilers vectorise a loop over them.
template <class Number, std::size_t Lanes = 1>
class extremes {
  public:
    extremes() noexcept {
        low_.fill(highest);
        high_.fill(lowest);
    }

    void add(Number number, std::size_t lane = 0) noexcept {
        const bool missing = is_nan(number);
        const Number least = missing ? highest : number;
        const Number most = missing ? lowest : number;
        low_[lane] = least < low_[lane] ? least : low_[lane];
        high_[lane] = most > high_[lane] ? most : high_[lane];
    }

    /// Adds contiguous numbers, which need not be aligned, in groups of one number for each lane.
    /// @return how many were added: all but the last, incomplete group
    std::size_t add_groups(const std::byte* at, std::size_t count) noexcept {
        std::size_t i = 0;
        for (; i + Lanes <= count; i += Lanes) {
            std::array<Number, Lanes> group;
            std::memcpy(group.data(), at + i * sizeof(Number), sizeof group);
            for (std::size_t lane = 0; lane < Lanes; ++lane)
                add(group[lane], lane);
        }
        return i;
    }

    /// Whether no number was added, or only NaN.
    [[nodiscard]] bool is_empty() const noexcept { return greatest() < least(); }
    [[nodiscard]] Number least() const noexcept { return *std::min_element(low_.begin(), low_.end()); }
    [[nodiscard]] Number greatest() const noexcept { return *std::max_element(high_.begin(), high_.end()); }

  private:
    using limits = std::numeric_limits<Number>;
    // No number is above or below these, so they change nothing where they stand in for NaN.
    static constexpr Number highest = limits::has_infinity ? limits::infinity() : limits::max();
    static constexpr Number lowest = limits::has_infinity ? -limits::infinity() : limits::lowest();

    std::array<Number, Lanes> low_, high_;
};

}  // namespace ndkeep::detail
