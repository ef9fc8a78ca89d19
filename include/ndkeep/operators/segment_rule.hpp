// SPDX-License-Identifier: BSD-3-Clause
// Where segments begin and end: by width, calendar, edges, rows, or a function of the user.
#pragma once

#include <ndkeep/chunks/key.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/operators/detail/segments/reducer.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The edge that belongs to a bin.
enum class bin_edge : unsigned char {
    left,   ///< a bin has the keys from its left edge on, below its right edge
    right,  ///< a bin has the keys above its left edge, up to its right edge
};
using enum bin_edge;

/// What aggregates do with missing values, NaN and NaT. It is the same for all of them.
enum class nan_rule : unsigned char {
    skip,       ///< leaves them out: `first` is the first value that is present
    propagate,  ///< null, if any value of the segment is missing; `first` and `last` are those of the rows as they are
};

namespace detail {

enum class rule_kind : unsigned char { width, calendar, edges, rows, predicate };

}  // namespace detail

/// Edges at equal distances, by the calendar, or from a list.
class key_grid {
  public:
    /// Bins of this width: a number, for keys that are numbers. For dates it is a count of their unit.
    template <std::integral Number>
    key_grid(Number width) : width_(detail::exact_number(width)) {}  // NOLINT: implicit
    /// The same.
    template <std::floating_point Number>
    key_grid(Number width) : width_(detail::exact_number(width)) {}  // NOLINT: implicit

    /// Bins of this width, for dates and durations. std::chrono::months and years are those of the calendar, in UTC;
    /// weeks and days always have the same length.
    template <std::integral Rep, class Period>
    key_grid(const std::chrono::duration<Rep, Period>& width)  // NOLINT: implicit
        : width_(std::int64_t{width.count()}), type_(dtype_of<std::chrono::duration<std::int64_t, Period>>()) {
        if constexpr (std::is_same_v<Period, std::chrono::months::period> ||
                      std::is_same_v<Period, std::chrono::years::period>)
            kind_ = detail::rule_kind::calendar;
    }

    /// For `edges`.
    explicit key_grid(std::vector<key_bound> edges) : kind_(detail::rule_kind::edges), edges_(std::move(edges)) {}

    /// For the class `segments`.
    [[nodiscard]] detail::rule_kind kind() const noexcept { return kind_; }
    [[nodiscard]] const statistics::number& width() const noexcept { return width_; }  ///< the number of units
    [[nodiscard]] const dtype& type() const noexcept { return type_; }                 ///< their unit; V0 of a number
    [[nodiscard]] const std::vector<key_bound>& edges() const noexcept { return edges_; }  ///< if listed

  private:
    detail::rule_kind kind_ = detail::rule_kind::width;
    statistics::number width_ = std::int64_t{0};
    dtype type_ = {};
    std::vector<key_bound> edges_ = {};
};

/// Bins between listed edges, of which there are two or more, in ascending order: `.every = edges({0, 10, 100})`.
[[nodiscard]] inline key_grid edges(std::vector<key_bound> all) { return key_grid(std::move(all)); }

/// What `rows(n)` returns.
struct rows_per_segment {
    std::uint64_t count = 0;  ///< rows of each segment
};

/// Segments of so many rows: `.every = rows(100)`. The last one may have fewer.
[[nodiscard]] constexpr rows_per_segment rows(std::uint64_t count) noexcept { return {count}; }

namespace detail {

/// A rule without the type of the rows.
struct segmentation {
    rule_kind kind = rule_kind::width;
    key_grid grid = 0;
    std::uint64_t rows = 0;
    /// Whether a segment begins at `row`.
    std::function<bool(const std::byte* before, const std::byte* row)> begins = {};
};

/// The field of the keys; without name if there is none.
struct segment_key {
    dtype type = {};
    std::size_t offset = 0;
    std::string name = {};
};

}  // namespace detail

namespace detail {

template <class Function, class T>
concept row_predicate = std::is_invocable_r_v<bool, Function&, const T&>;

template <class Function, class T>
concept neighbour_predicate = std::is_invocable_r_v<bool, Function&, const T&, const T&>;

}  // namespace detail

/// Where segments of rows of type T begin. It converts from
/// - a number, a duration, months or years, and `edges`: bins of keys;
/// - `rows(n)`: so many rows;
/// - a function `bool(const T& before, const T& row)` or `bool(const T& row)`: a segment begins at each row for which
///   it is true, and at the first row, for which it is not called.
template <element T>
class segment_rule {
  public:
    /// A width or edges.
    template <std::convertible_to<key_grid> Grid>
    segment_rule(const Grid& grid) {  // NOLINT: implicit
        rule_.grid = grid;
        rule_.kind = rule_.grid.kind();
    }
    /// A number of rows.
    segment_rule(rows_per_segment each)  // NOLINT: implicit
        : rule_{.kind = detail::rule_kind::rows, .rows = each.count} {}
    /// A function of two neighbouring rows.
    template <detail::neighbour_predicate<T> Function>
    segment_rule(Function begins) {  // NOLINT: implicit
        rule_.kind = detail::rule_kind::predicate;
        rule_.begins = [begins = std::move(begins)](const std::byte* before, const std::byte* row) mutable {
            return static_cast<bool>(begins(*reinterpret_cast<const T*>(before), *reinterpret_cast<const T*>(row)));
        };
    }
    /// A function of a row.
    template <detail::row_predicate<T> Function>
    segment_rule(Function begins) {  // NOLINT: implicit
        rule_.kind = detail::rule_kind::predicate;
        rule_.begins = [begins = std::move(begins)](const std::byte*, const std::byte* row) mutable {
            return static_cast<bool>(begins(*reinterpret_cast<const T*>(row)));
        };
    }

    /// For the class `segments`.
    [[nodiscard]] const detail::segmentation& rule() const noexcept { return rule_; }

  private:
    detail::segmentation rule_;
};

/// The member that orders the rows: `.on = &trade::time`.
template <element T>
class key_member {
  public:
    /// No member.
    key_member() = default;
    /// An integer, a floating-point number of at most 64 bits, a date or a duration.
    template <element Member>
    key_member(Member T::*member) {  // NOLINT: implicit
        key_.offset = detail::offset_of(member);
        key_.type = dtype_of<Member>();
        key_.name = detail::field_name_at(dtype_of<T>(), key_.offset);
    }

    /// For the class `segments`.
    [[nodiscard]] const detail::segment_key& key() const noexcept { return key_; }

  private:
    detail::segment_key key_;
};

}  // namespace ndkeep
