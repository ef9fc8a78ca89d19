// SPDX-License-Identifier: BSD-3-Clause
// segments: aggregates of consecutive rows, such as bars of five minutes, over ordered chunks.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/chunks/key.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/operators/aggregates.hpp>
#include <ndkeep/operators/detail/segments/segmenter.hpp>
#include <ndkeep/operators/segment_rule.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Which rows `segments` gives, and what they hold.
struct segment_output {
    /// Points of the keys, such as `5min`, or `edges` to list them. At each one, a row of the segment under way is kept
    /// for `snapshots()`.
    std::optional<key_grid> snapshots = {};
    bool empty_bins = true;         ///< also gives bins without rows, between others; and such snapshots
    nan_rule nan = nan_rule::skip;  ///< what aggregates do with NaN and NaT
};

/// Options of `segments`.
template <element T>
struct segment_options {
    /// The member that orders the rows. Rows with smaller keys than those before are an error, and so are NaN and NaT.
    /// It may be left out if `.every` needs no keys.
    key_member<T> on = {};
    segment_rule<T> every;   ///< where segments begin: `5min`, `months(1)`, `edges({…})`, `rows(100)`, a function
    bin_edge closed = left;  ///< the edge that belongs to a bin
    /// An edge of a bin of equal width; for months and years, a date in the first month of a bin. The default is 0, or
    /// 1970-01-01. Snapshots have the same origin.
    std::optional<key_bound> origin = {};
    segment_output output = {};  ///< empty bins, snapshots, NaN
};

/// Aggregates of segments of consecutive rows, such as bars of five minutes.
///
///     segments<trade> bars({.on = &trade::time, .every = 5min}, {first(&trade::price, "open"), count("n")});
///     for (auto chunk : loop.over(trades))
///         sink.append(bars.push(chunk));
///
/// The result is bit for bit the same however the rows are cut into chunks, and wherever a loop to which the object is
/// bound was interrupted. A segment is given once, when it is complete: when a row of a later one arrives.
///
/// Arrays of results are structured. Their first field has the name of the member `on`, and holds the left edge of the
/// bin, whichever edge is closed: int64 or uint64 if the keys are integers, double if they are floating-point numbers,
/// otherwise their dtype. If segments are made by rows or by a function, it holds the key of their first row, or, as
/// "row", its number. The other fields are those of the aggregates, in their order. The layout is that of a C++ struct
/// with these members, so that `as<bar, 1>()` copies to one, and chunk_writer<bar, 1> appends it.
///
/// The state has one row per segment, with the values of a segment only for quantiles. After an error in a call, the
/// object must not be used, except for `load`.
template <element T>
class segments {
  public:
    /// None of the rows so far.
    /// @throws mismatch_error  options that contradict each other or do not fit the keys; a width that is not positive,
    ///                         or no multiple of the unit of the keys; two aggregates of the same name
    segments(const segment_options<T>& options, const std::vector<aggregate<T>>& aggregates)
        : core_(plan_of(options, aggregates)) {}

    /// Adds rows. Returns the segments that are complete now, without rows if there is none.
    /// @param rows  a one-dimensional array of T; read in place if it is in memory
    /// @throws mismatch_error  another dtype or rank, keys that descend, NaN or NaT, a key that is in no bin, an
    ///                         integer sum of more than 64 bits, or more than 2^24 empty bins in a row; the error names
    ///                         the row, counted from the first one pushed
    any_array push(const array_view& rows) { return core_.push(rows); }

    /// Says that no more rows with keys below this one will come: returns the segments that are complete with that.
    /// @throws mismatch_error  a smaller key than one before
    any_array advance(const key_bound& to) { return core_.advance(to); }

    /// The segment under way, which more rows may change: one row, or none.
    [[nodiscard]] any_array current() { return core_.current(); }

    /// The last segment, however complete it is. No rows can be pushed afterwards.
    /// @param until  gives empty bins that end at this key or before, as after `advance`
    any_array finish(const std::optional<key_bound>& until = {}) { return core_.finish(until); }

    /// The snapshots of the last call of `push`, `advance` or `finish`: arrays as results, with the point in the first
    /// field.
    ///
    /// A snapshot aggregates the rows of the segment under way before its point, or up to it if `closed` is right. It
    /// is null if that segment has no row yet. At the right edge of a bin it has the complete bin. The first point is
    /// after the first row. The last one is the first point after the last row; `finish` gives it.
    [[nodiscard]] any_array snapshots() const { return core_.snapshots(); }

    /// The dtype of results.
    [[nodiscard]] const dtype& type() const noexcept { return core_.type(); }

    /// Saves the state, for loops.
    template <class Writer>
    void save(Writer& out) const {
        core_.save(out);
    }
    /// Loads a state.
    /// @throws mismatch_error  the state of other options, fields or aggregates
    template <class Reader>
    void load(const Reader& in) {
        core_.load(in);
    }

  private:
    [[nodiscard]] static detail::segment_plan plan_of(const segment_options<T>& options,
                                                      const std::vector<aggregate<T>>& aggregates) {
        detail::segment_plan plan;
        plan.row = dtype_of<T>();
        plan.on = options.on.key();
        plan.every = options.every.rule();
        plan.closed = options.closed;
        plan.origin = options.origin;
        plan.snapshots = options.output.snapshots;
        plan.empty_bins = options.output.empty_bins;
        plan.nan = options.output.nan;
        for (const auto& each : aggregates)
            plan.reducers.push_back(each.reducer());
        return plan;
    }

    detail::segmenter core_;
};

}  // namespace ndkeep
