// SPDX-License-Identifier: BSD-3-Clause
// Keys as 64-bit numbers in the same order, and the bins that a grid of edges makes of them.
#pragma once

#include <ndkeep/chunks/key.hpp>
#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/operators/segment_rule.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The keys of rows as signed numbers. Of two keys, the greater one has the greater code; equal keys have equal codes,
/// also 0.0 and -0.0. Keys that are not legal, NaN and NaT, have codes outside of `least` and `greatest`.
class key_codes {
  public:
    key_codes() = default;
    /// @throws mismatch_error  the field cannot order rows
    explicit key_codes(const segment_key& field);

    /// Reads the codes of `count` rows, which are `step` bytes apart.
    /// @return whether they ascend from `before` on, and are legal
    [[nodiscard]] bool read(const std::byte* first_row, std::ptrdiff_t step, std::size_t count, std::int64_t before,
                            std::int64_t* out) const;

    [[nodiscard]] std::int64_t least() const noexcept { return least_; }
    [[nodiscard]] std::int64_t greatest() const noexcept { return greatest_; }
    /// The dtype of labels: int64 or uint64 for integers, double for floating-point numbers, otherwise that of the
    /// keys.
    [[nodiscard]] const dtype& label() const noexcept { return label_; }
    [[nodiscard]] const segment_key& field() const noexcept { return field_; }
    [[nodiscard]] bool is_floating() const noexcept { return form_ == 'f'; }

    /// The 8 bytes of a key, as a label has them.
    [[nodiscard]] std::uint64_t bits_of(std::int64_t code) const noexcept;
    [[nodiscard]] std::string text_of(std::int64_t code) const;
    /// A bound as a key, for integers and times, or as the double.
    [[nodiscard]] statistics::number number_of(const key_bound& bound) const;
    /// The code of a number, or, below or above all codes, the least or the greatest one.
    [[nodiscard]] std::int64_t code_of(core::wide_count whole) const noexcept;
    [[nodiscard]] std::int64_t code_of(double real) const noexcept;
    /// The code of the least key that is not below a bound.
    [[nodiscard]] std::int64_t code_from(const key_bound& bound) const;
    [[nodiscard]] core::wide_count whole_of(std::int64_t code) const noexcept;
    [[nodiscard]] double real_of(std::int64_t code) const noexcept;

  private:
    segment_key field_;
    char form_ = 'i';  // i, u or f
    dtype label_;
    std::int64_t least_ = std::numeric_limits<std::int64_t>::min();
    std::int64_t greatest_ = std::numeric_limits<std::int64_t>::max();
};

/// One bin of a grid.
struct bin {
    std::int64_t most = 0;                               // the greatest code in it
    std::optional<std::uint64_t> left = {}, right = {};  // bits of its edges as labels; nullopt if they exceed 64 bits
};

/// The bins of a grid over keys.
class bins {
  public:
    bins() = default;
    /// @param called  what errors call the width
    /// @throws mismatch_error  a width or edge that does not fit the keys
    bins(const key_grid& grid, const key_codes& codes, bin_edge closed, const std::optional<key_bound>& origin,
         const char* called = "width of the bins");

    /// The bin that has this key; nullopt if none has.
    [[nodiscard]] std::optional<bin> of(std::int64_t code) const;
    /// The bin after one; nullopt if it is the last.
    [[nodiscard]] std::optional<bin> after(const bin& before) const;
    /// Adds a bin of all keys before the first edge of a list.
    void begin_at_least();
    /// The width of bins in keys, if it is fixed.
    [[nodiscard]] core::wide_count width() const noexcept { return width_; }
    [[nodiscard]] double real_width() const noexcept { return real_width_; }
    /// The options, for the check of states.
    [[nodiscard]] std::string text() const;

  private:
    void set_width(const key_grid& grid, const char* called);
    void set_calendar(const key_grid& grid, const std::optional<key_bound>& origin);
    void set_edges(const key_grid& grid);
    [[nodiscard]] std::optional<bin> of_edges(std::int64_t code) const;
    [[nodiscard]] bin of_whole(std::int64_t code) const;
    [[nodiscard]] std::optional<bin> of_real(double key) const;
    [[nodiscard]] core::wide_count first_of_month(core::wide_count month) const;
    [[nodiscard]] core::wide_count month_of(core::wide_count key) const;
    [[nodiscard]] std::optional<std::uint64_t> label_of(core::wide_count edge) const;

    rule_kind kind_ = rule_kind::width;
    key_codes codes_;
    bin_edge closed_ = bin_edge::left;
    core::wide_count width_ = 1, origin_ = 0;  // calendar: in months
    double real_width_ = 1, real_origin_ = 0;
    core::wide_count per_day_ = 0;     // keys in a day; calendar: 0 if the keys are months, or years
    core::wide_count months_ = 1;      // months in a key, then
    std::vector<std::int64_t> edges_;  // codes
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/segments/bins.ipp>
#endif
