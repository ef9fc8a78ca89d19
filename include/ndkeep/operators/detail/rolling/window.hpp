// SPDX-License-Identifier: BSD-3-Clause
// The core of rolling without the type of the values: a window as two parts, and the turn between them.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/operators/detail/rolling/sums.hpp>
#include <ndkeep/operators/detail/row_memory.hpp>
#include <ndkeep/operators/detail/segments/bins.hpp>
#include <ndkeep/operators/detail/state.hpp>
#include <ndkeep/operators/rolling_options.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The position in the rows. All of it is stored in states.
struct window_position {
    std::uint64_t rows = 0;     // so far
    std::uint64_t begin = 0;    // of the window in the values that are kept
    std::uint64_t turn = 0;     // where its newer part begins
    std::int64_t last_key = 0;  // code
    std::uint64_t has_key = 0;
};

class rolling_window {
  public:
    /// @throws mismatch_error  options that contradict each other
    rolling_window(const dtype& type, const rolling_options& options);

    /// @param keys     nullptr if there are none
    /// @param results  one for each value
    void push(const array_view& values, const array_view* keys, double* results);

    template <class Writer>
    void save(Writer& out) const {
        out.set("options", text_);
        out.set("dtype of keys", key_text_);
        out.set("position", positions_);
        out.set("values", values_);
        out.set("keys", keys_);
    }
    template <class Reader>
    void load(const Reader& in) {
        check_stored_options("window", text_, in.template get<std::string>("options"));
        rolling_window next(*this);
        in.get("dtype of keys", next.key_text_);
        in.get("position", next.positions_);
        in.get("values", next.values_);
        in.get("keys", next.keys_);
        next.restore();
        *this = std::move(next);
    }

  private:
    /// Checks the stored parts, and computes what is not stored.
    void restore();
    void set_keys(const dtype& type);
    /// Reads values, and finds NaN.
    void read_values(const row_memory& values, std::size_t first, std::size_t count);
    /// Finds the last NaN of the values from number `from` on.
    void note_nan(std::size_t from);
    /// Reads keys, and checks that they ascend.
    void read_keys(const row_memory& keys, std::size_t first, std::size_t count);
    /// Adds the values from number `first` on, which are in `values_` already.
    template <class Statistic>
    void add(std::size_t first, double* results);
    /// How many rows from `first` on, at most `most`, have their windows without a turn before. Notes the begin of each
    /// window.
    [[nodiscard]] std::size_t rows_before_turn(std::size_t first, std::size_t most);
    /// The same for windows of a span, with the function that finds the bound of a key.
    template <class Bound>
    [[nodiscard]] std::size_t begins_of(std::size_t first, std::size_t count, const Bound& bound_at);
    /// Makes the values before `end` the older part, and computes the sums of its tails. Computes as many heads of the
    /// newer part as there are values for.
    template <class Statistic>
    void turn(std::size_t end);
    /// Computes the heads of the newer part that end with rows `first` to `first + count - 1`.
    template <class Statistic>
    void add_heads(std::size_t first, std::size_t count);
    template <class Statistic>
    void restore_parts();
    template <class Function>
    void with_statistic(const Function& function);
    /// The window of a key has the keys above this one.
    [[nodiscard]] std::int64_t bound_of(std::int64_t key) const;
    void drop_values();

    dtype type_;
    rolling_options options_;
    std::uint64_t least_count_ = 1;
    std::string text_, key_text_;

    std::vector<window_position> positions_;  // one: a vector is stored without a copy
    std::vector<double> values_;              // of the window, and some before it
    std::vector<std::int64_t> keys_;          // codes of their keys, with a span

    key_codes codes_;
    std::int64_t span_ = 0;
    double real_span_ = 0;
    // Numbers of rows in `values_`. The values that were dropped make `tails_begin_` less than 0, modulo 2^64.
    window_columns tails_;         // of the older part: the sums from each value on, and last, of no value
    std::size_t tails_begin_ = 0;  // the row of the first one
    window_columns heads_;         // of the newer part: the sums up to each value
    std::size_t heads_begin_ = 0, heads_end_ = 0;
    window_sums<double> newer_;        // of the last head
    std::size_t nan_end_ = 0;          // the row after the last NaN
    std::vector<std::size_t> begins_;  // of the windows of a block
    bool is_regular_ = false;          // whether each of them is that of the row before plus 1
    window_columns older_block_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/rolling/window.ipp>
#endif
