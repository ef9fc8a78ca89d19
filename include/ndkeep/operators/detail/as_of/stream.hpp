// SPDX-License-Identifier: BSD-3-Clause
// A streaming as-of join over rows of any dtype: the rows that it keeps, and which left rows are decided.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/operators/as_of_options.hpp>
#include <ndkeep/operators/detail/as_of/keys.hpp>
#include <ndkeep/operators/detail/as_of/match.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Rows in memory, added at the end and removed at the front. The padding of structs is zero.
class row_queue {
  public:
    row_queue(dtype type, std::string side)
        : type_(std::move(type)), side_(std::move(side)), item_(static_cast<std::size_t>(type_.size())) {}

    [[nodiscard]] const dtype& type() const noexcept { return type_; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() / item_ - first_; }
    [[nodiscard]] const std::byte* data() const noexcept { return bytes_.data() + first_ * item_; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data(), size() * item_}; }
    /// All rows that were ever added.
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    /// Rows `from` to `to`. In errors they are numbered from the begin of the stream.
    [[nodiscard]] row_memory rows(std::size_t from, std::size_t to) const;

    /// @throws mismatch_error  not one-dimensional, or of another type
    void add(const array_view& rows);
    /// Removes rows at the end, which were added last.
    void take_back(std::size_t count);
    /// Removes rows at the front.
    void drop(std::size_t count);
    /// Copies row `from` over row `to`.
    void move_row(std::size_t from, std::size_t to);
    /// Replaces all rows. They may be in another byte order or with other padding.
    /// @throws mismatch_error  of another type
    void restore(const array_view& rows, std::uint64_t total);

  private:
    dtype type_;
    std::string side_;
    std::size_t item_;
    std::vector<std::byte> bytes_;
    std::size_t first_ = 0;
    std::uint64_t total_ = 0;
};

/// 1. Rows are added to two queues. `left_` begins with the left row that was emitted last, if there is one.
/// 2. A left row is decided if no right row that may still come can match it. Decided rows are emitted in order.
/// 3. Of the right rows below all left keys that may still come, the last ones of each group are kept.
class as_of_stream {
  public:
    /// @throws mismatch_error  fields or a tolerance that do not fit
    as_of_stream(const dtype& left, const dtype& right, const as_of_options& options, std::size_t window);

    /// Adds rows, and finds the left rows that are decided.
    /// @param complete  whether no right row up to the last left key will come any more
    /// @return their number
    /// @throws mismatch_error  rows of another type, or not in order: then none are added
    [[nodiscard]] std::size_t push(const array_view& left, const array_view& right, bool complete);
    /// Finds all left rows.
    [[nodiscard]] std::size_t finish();
    /// Copies the rows that were found last, and removes what is not needed any more.
    /// @param right  (rows, window) rows, or (rows) without a window
    /// @param fill   a right row for those that were not found
    void take(std::byte* left, std::byte* right, bool* found, const std::byte* fill);

    [[nodiscard]] const row_queue& left() const noexcept { return left_; }
    [[nodiscard]] const row_queue& right() const noexcept { return right_; }
    /// Whether `left()` begins with a row that was emitted.
    [[nodiscard]] bool has_emitted() const noexcept { return emitted_ != 0; }
    /// The options, to compare them.
    [[nodiscard]] std::string text() const;
    /// @param text  of the options that the rows were stored with
    void restore(const std::string& text, const array_view& left, std::uint64_t left_total, bool has_emitted,
                 const array_view& right, std::uint64_t right_total);

  private:
    [[nodiscard]] side_keys keys(const row_queue& rows, std::size_t from, std::size_t to) const;
    /// @throws mismatch_error  rows from `from` on are not in order
    void check_order(const row_queue& rows, std::size_t from) const;
    /// @throws mismatch_error  a right row comes too late: left rows that it matches were emitted
    void check_late(std::size_t from) const;
    [[nodiscard]] std::size_t find(bool all);
    template <class Number>
    [[nodiscard]] std::size_t find_backward(bool all);
    template <class Number>
    [[nodiscard]] std::size_t find_ahead(bool all);
    /// Finds rows for `count` left rows among right rows up to `end`.
    void find_rows(std::size_t count, std::size_t end);
    void forget();

    as_of_options options_;
    std::size_t window_;
    common_form form_;
    as_of_rule rule_;
    row_queue left_, right_;
    std::size_t emitted_ = 0;         // 0 or 1: rows of `left_` that were emitted
    std::size_t found_ = 0;           // left rows that `take` copies
    std::vector<std::int64_t> rows_;  // their rows in `right_`, a window for each
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/as_of/stream.ipp>
#endif
