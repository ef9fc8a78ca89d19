// SPDX-License-Identifier: BSD-3-Clause
// The core of segments without the types of the rows: their state, and the loop over the rows of a chunk.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/chunks/key.hpp>
#include <ndkeep/element/padding.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/operators/detail/segments/bins.hpp>
#include <ndkeep/operators/detail/segments/column.hpp>
#include <ndkeep/operators/detail/segments/reducer.hpp>
#include <ndkeep/operators/detail/state.hpp>
#include <ndkeep/operators/segment_rule.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The options of segments without the type of the rows.
struct segment_plan {
    dtype row;
    segment_key on;
    segmentation every;
    bin_edge closed = bin_edge::left;
    std::optional<key_bound> origin;
    std::optional<key_grid> snapshots;
    bool empty_bins = true;
    nan_rule nan = nan_rule::skip;
    std::vector<reducer> reducers;
};

/// The position in the rows. All of it is stored in states.
struct segment_position {
    std::uint64_t rows = 0;          // so far
    std::uint64_t segment_rows = 0;  // of the segment under way
    std::int64_t last_key = 0;       // code; no later row has a smaller one
    std::int64_t opened = 0;         // code of a key in the bin under way
    std::int64_t point = 0;          // code of a key below the next snapshot, in the same bin of the grid of snapshots
    std::uint64_t label = 0;         // of the segment under way: bits
    std::uint64_t has_key = 0, is_open = 0, has_point = 0, is_finished = 0;
};

class segmenter {
  public:
    /// @throws mismatch_error  options that contradict each other, do not fit the rows, or name an output twice
    explicit segmenter(segment_plan plan);

    [[nodiscard]] any_array push(const array_view& rows);
    [[nodiscard]] any_array advance(const key_bound& to);
    [[nodiscard]] any_array current();
    [[nodiscard]] any_array finish(const std::optional<key_bound>& until);
    [[nodiscard]] any_array snapshots() const { return any_array(snapshots_); }
    [[nodiscard]] const dtype& type() const noexcept { return type_; }

    template <class Writer>
    void save(Writer& out) const {
        out.set("options", text_);
        out.set("position", positions_);
        out.set("columns", states_);
        out.set("previous row", before_);
        out.set("reductions", own_);
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string number = std::to_string(i);
            if (columns_[i].needs_values)
                out.set("values " + number, memories_[i].values);
            if (columns_[i].type.size() > sizeof(column_state::first))
                out.set("ends " + number, memories_[i].bytes);
        }
    }
    template <class Reader>
    void load(const Reader& in) {
        check_stored_options("segments", text_, in.template get<std::string>("options"));
        segmenter next(*this);
        in.get("position", next.positions_);
        in.get("columns", next.states_);
        in.get("previous row", next.before_);
        in.get("reductions", next.own_);
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string number = std::to_string(i);
            if (columns_[i].needs_values)
                in.get("values " + number, next.memories_[i].values);
            if (columns_[i].type.size() > sizeof(column_state::first))
                in.get("ends " + number, next.memories_[i].bytes);
        }
        next.restore();
        *this = std::move(next);
    }

  private:
    [[nodiscard]] segment_position& position() noexcept { return positions_[0]; }

    void make_columns();
    void make_output();
    void make_text();
    /// Checks the stored parts, and computes what is not stored.
    void restore();

    [[nodiscard]] bool is_keyed() const noexcept { return !plan_.on.name.empty(); }
    [[nodiscard]] bool is_grid() const noexcept {
        return plan_.every.kind != rule_kind::rows && plan_.every.kind != rule_kind::predicate;
    }

    void begin_call();
    [[nodiscard]] any_array end_call();
    /// Reads the keys of a block, and checks that they ascend.
    void read_keys(const std::byte* first, std::ptrdiff_t step, std::size_t count);
    /// Asks the function of the user for each row of a block.
    void ask_predicate(const std::byte* first, std::ptrdiff_t step, std::size_t count);
    void add_block(const std::byte* first, std::ptrdiff_t step, std::size_t count);
    /// The first row from `from` + 1 on that does not belong to the segment under way, or is after a snapshot.
    [[nodiscard]] std::size_t run_end(std::size_t from, std::size_t count) const;
    void add_rows(const std::byte* first, std::ptrdiff_t step, std::size_t count);

    /// Closes the bins, and takes the snapshots, that are before this key.
    void settle(std::int64_t key);
    void open_bin(std::int64_t key, const bin& opened);
    void close();
    /// Takes the snapshots that observe no key above `last`.
    void take_points(std::int64_t last);
    void take_point();
    void move_to(std::int64_t key);
    void write(std::vector<std::byte>& to, std::uint64_t label);
    void reset();

    segment_plan plan_;
    key_codes codes_;
    bins bins_, points_;
    std::vector<segment_column> columns_;
    std::vector<std::size_t> column_of_;  // of each reducer
    std::vector<std::size_t> own_at_;     // of each reducer: where its state begins in `own_`
    std::vector<std::vector<std::byte>> nulls_;
    dtype type_;
    std::string text_;
    padding padding_;

    std::vector<segment_position> positions_;  // one: a vector is stored without a copy
    std::vector<column_state> states_;
    std::vector<column_memory> memories_;
    std::vector<std::uint8_t> before_;  // the last row, for predicates
    std::vector<std::uint8_t> own_;     // the states of the user's reductions
    std::optional<bin> bin_, point_;    // of `position().opened` and `.point`

    next_rows next_;                    // of a call
    std::vector<std::int64_t> keys_;    // codes of a block
    std::vector<std::uint8_t> begins_;  // for predicates: whether a row of a block begins a segment
    std::vector<std::byte> done_, taken_;
    any_array snapshots_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/segments/segmenter.ipp>
#include <ndkeep/operators/detail/segments/segmenter_plan.ipp>
#endif
