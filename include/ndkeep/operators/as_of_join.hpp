// SPDX-License-Identifier: BSD-3-Clause
// as_of_join: an as-of join of two streams of rows, chunk by chunk.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/operators/as_of_options.hpp>
#include <ndkeep/operators/detail/as_of/stream.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Which rows match, in `as_of_join_options`.
struct as_of_match {
    as_of_direction direction = backward;
    as_of_tolerance tolerance = {};  ///< a number, or a duration for keys that are times; none: any distance
    bool exact = true;               ///< whether a row with an equal key matches
};

/// Options of `as_of_join`.
struct as_of_join_options {
    std::string on = {};               ///< the field of the keys; empty: "time"
    std::vector<std::string> by = {};  ///< fields that must have equal bytes in both rows
    std::size_t window = 0;            ///< right rows for each left row, the oldest first; 0: one, without an axis
    as_of_match match = {};            ///< direction, tolerance, and whether equal keys match
};

/// Left rows that were joined, and the right rows that they got.
template <class Left, class Right>
class as_of_joined {
  public:
    /// For authors of tools.
    as_of_joined(std::size_t count, std::size_t window)
        : left_(detail::uninitialised<xt::xtensor<Left, 1>>({count})),
          right_(detail::uninitialised<xt::xarray<Right>>(rows_and(window, count))),
          found_(detail::uninitialised<xt::xarray<bool>>(rows_and(window, count))) {}

    /// The left rows, in order.
    [[nodiscard]] const xt::xtensor<Left, 1>& left() const& noexcept { return left_; }
    [[nodiscard]] xt::xtensor<Left, 1> left() && noexcept { return std::move(left_); }
    /// The right rows: shape (rows), or (rows, window) with the oldest first. The fill value where none was found.
    [[nodiscard]] const xt::xarray<Right>& right() const& noexcept { return right_; }
    [[nodiscard]] xt::xarray<Right> right() && noexcept { return std::move(right_); }
    /// Whether a right row was found, in the shape of `right()`.
    [[nodiscard]] const xt::xarray<bool>& found() const& noexcept { return found_; }
    [[nodiscard]] xt::xarray<bool> found() && noexcept { return std::move(found_); }

  private:
    template <element, element>
    friend class as_of_join;

    [[nodiscard]] static std::vector<std::size_t> rows_and(std::size_t window, std::size_t count) {
        return window == 0 ? std::vector<std::size_t>{count} : std::vector<std::size_t>{count, window};
    }

    xt::xtensor<Left, 1> left_;
    xt::xarray<Right> right_;
    xt::xarray<bool> found_;
};

/// As-of join of two streams. All rows of each stream are in ascending order of their keys.
///
/// Any split into chunks gives the same rows as one call of `as_of` with `window`, bit for bit: a push emits the left
/// rows that no right row to come can change, and keeps the others. `finish` emits the rest. Without `finish` the last
/// left rows are missing.
/// - backward: a left row is emitted when a right row with a greater key was pushed.
/// - forward and nearest: when its right row was pushed, or rows to come are too far. With `.by`, later left rows wait
///   for it: limit the wait by a tolerance.
/// - Items of `in_step` are complete: their left rows are emitted at once if the direction is backward.
///
/// The state is the left rows that wait, the right rows not below the last left key, and for each group the last ones
/// below it. A push takes O(state + rows). A loop can bind it:
///
///     auto& join = loop.bind("quotes", as_of_join<trade, quote>({.by = {"symbol"}}));
template <element Left, element Right>
class as_of_join {
  public:
    /// @param fill  the right row where none is found; value-initialised by default
    /// @throws mismatch_error  fields that are absent or not comparable, or a negative tolerance
    explicit as_of_join(const as_of_join_options& options = {}, const Right& fill = {})
        : stream_(dtype_of<Left>(), dtype_of<Right>(),
                  {options.on, options.by, options.match.direction, options.match.tolerance, options.match.exact},
                  options.window),
          window_(options.window), fill_(fill) {}

    /// Adds a chunk of either side, which may be empty, and joins the left rows that are decided.
    /// @param left, right  one-dimensional arrays of `Left` and `Right`
    /// @throws mismatch_error  a key below the one before it, NaN or NaT, or a right row that comes after left rows
    ///                         that it matches were emitted: then the chunk is not added
    template <class LeftRows, class RightRows>
    as_of_joined<Left, Right> push(const LeftRows& left, const RightRows& right) {
        // The rows of `in_step` tell their warm-up. No right row up to the last left key can follow.
        constexpr bool is_in_step = requires {
            left.warm_up();
            right.warm_up();
        };
        return taken(stream_.push(left, right, is_in_step));
    }

    /// `push` for chunks that are complete as those of `in_step`: no right row up to the last left key will follow.
    as_of_joined<Left, Right> push_in_step(const array_view& left, const array_view& right) {
        return taken(stream_.push(left, right, true));
    }

    /// Joins the left rows that wait, because no right row up to their keys will come.
    as_of_joined<Left, Right> finish() { return taken(stream_.finish()); }

    /// Stores the state. It refers to rows of the join, which must not change before the state is written.
    template <class Writer>
    void save(Writer& out) const {
        out.set("options", stream_.text());
        out.set("emitted", stream_.has_emitted());
        save_rows(out, "left", stream_.left());
        save_rows(out, "right", stream_.right());
    }

    /// Restores a stored state.
    /// @throws mismatch_error  it was stored with other options or other fields
    template <class Reader>
    void load(const Reader& in) {
        stream_.restore(in.template get<std::string>("options"), in.get_any("left"),
                        in.template get<std::uint64_t>("left rows"), in.template get<bool>("emitted"),
                        in.get_any("right"), in.template get<std::uint64_t>("right rows"));
    }

  private:
    [[nodiscard]] as_of_joined<Left, Right> taken(std::size_t count) {
        as_of_joined<Left, Right> joined(count, window_);
        stream_.take(reinterpret_cast<std::byte*>(joined.left_.data()),
                     reinterpret_cast<std::byte*>(joined.right_.data()), joined.found_.data(),
                     reinterpret_cast<const std::byte*>(&fill_));
        return joined;
    }

    template <class Writer>
    static void save_rows(Writer& out, const std::string& name, const detail::row_queue& rows) {
        const std::span<const std::byte> bytes = rows.bytes();
        out.set_rows(name, {.type = rows.type(), .shape = {rows.size()}}, {&bytes, 1});
        out.set(name + " rows", rows.total());
    }

    detail::as_of_stream stream_;
    std::size_t window_;
    Right fill_;
};

}  // namespace ndkeep
