// SPDX-License-Identifier: BSD-3-Clause
// Options of as_of and as_of_join: direction, tolerance, and the fields of keys and groups.
#pragma once

#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <ratio>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Which row of the right side a left row gets.
enum class as_of_direction {
    backward,  ///< the last row whose key is not above the left key
    forward,   ///< the first row whose key is not below the left key
    nearest,   ///< the nearer of these two; the backward one if both are as near
};

inline constexpr as_of_direction backward = as_of_direction::backward;  ///< the last row not above the left key
inline constexpr as_of_direction forward = as_of_direction::forward;    ///< the first row not below the left key
inline constexpr as_of_direction nearest = as_of_direction::nearest;    ///< the nearer of these two, backward on ties

/// The largest distance of two keys that match. It is exact: neither the distance nor its limit overflows or is rounded
/// up.
class as_of_tolerance {
  public:
    /// Any distance.
    as_of_tolerance() = default;
    /// For keys that are numbers, and for dates without a unit.
    template <std::integral Number>
    as_of_tolerance(Number most) {  // NOLINT: implicit
        if constexpr (std::is_signed_v<Number>)
            most_ = static_cast<std::int64_t>(most);
        else
            most_ = static_cast<std::uint64_t>(most);
    }
    /// The same.
    template <std::floating_point Number>
    as_of_tolerance(Number most) : most_(static_cast<double>(most)) {}  // NOLINT: implicit
    /// For keys that are times of any unit. A duration with floating-point counts is taken in nanoseconds.
    template <class Rep, class Period>
    as_of_tolerance(std::chrono::duration<Rep, Period> most) {  // NOLINT: implicit
        if constexpr (std::is_floating_point_v<Rep>) {
            constexpr double limit = 9.2e18;
            const double count = std::chrono::duration<double, std::nano>(most).count();
            most_ = static_cast<std::int64_t>(count > limit ? limit : count < -limit ? -limit : count);
            unit_ = dtype_of<std::chrono::duration<std::int64_t, std::nano>>();
        } else {
            most_ = static_cast<std::int64_t>(most.count());
            unit_ = dtype_of<std::chrono::duration<std::int64_t, Period>>();
        }
    }

    /// Whether there is a limit.
    [[nodiscard]] bool is_limited() const noexcept { return most_.index() != 0; }
    /// The number; std::monostate without a limit.
    [[nodiscard]] const std::variant<std::monostate, std::int64_t, std::uint64_t, double>& most() const noexcept {
        return most_;
    }
    /// The dtype of the duration; nullopt if the limit is a number.
    [[nodiscard]] const std::optional<dtype>& unit() const noexcept { return unit_; }

  private:
    std::variant<std::monostate, std::int64_t, std::uint64_t, double> most_;
    std::optional<dtype> unit_;
};

/// Options of `as_of`.
struct as_of_options {
    std::string on = {};               ///< of structs: the field of the keys; empty: "time"
    std::vector<std::string> by = {};  ///< of structs: fields that must have equal bytes in both rows
    as_of_direction direction = backward;
    as_of_tolerance tolerance = {};  ///< a number, or a duration for keys that are times; none: any distance
    bool exact = true;               ///< whether a row with an equal key matches; false: strictly before or after
};

}  // namespace ndkeep
