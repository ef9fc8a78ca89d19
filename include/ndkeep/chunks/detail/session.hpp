// SPDX-License-Identifier: BSD-3-Clause
// Writer of a chunked array, without the C++ type of its rows: cuts rows into chunk files, and edits a transaction.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/chunks/detail/files.hpp>
#include <ndkeep/chunks/detail/order.hpp>
#include <ndkeep/chunks/detail/ordered/cutter.hpp>
#include <ndkeep/chunks/key.hpp>
#include <ndkeep/chunks/location.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/commit.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The untyped core of chunk_writer.
///
/// Rows that do not fill a chunk are held in memory. Full chunks are written to files at once, and the next commit
/// makes them visible. If `append`, `write` or `resize` throws, the rows are as they were before the call.
class chunk_session {
  public:
    chunk_session(const dataset_location& where, const chunk_writer_options& options);

    [[nodiscard]] place& where() const noexcept { return *place_; }
    [[nodiscard]] const chunk_state& state() const noexcept { return transaction_.work(); }
    [[nodiscard]] std::uint64_t rows() const noexcept { return state().rows + pending_rows_; }
    /// Whether the dataset has no dtype and row shape yet.
    [[nodiscard]] bool is_new() const noexcept { return state().is_absent(); }

    /// Sets dtype and row shape of a new dataset, or checks them against those of an existing one.
    /// @throws mismatch_error  they do not fit the dataset, or `.order_by` does not fit them
    void expect(const dtype& type, const std::vector<std::size_t>& row_shape);

    /// Removes all rows, and sets dtype, row shape and order.
    void start_anew(const dtype& type, const std::vector<std::size_t>& row_shape, const order_fields& order_by);

    void append(const array_view& rows, progress_meter& meter);

    /// Overwrites rows from `first` on. Chunks that hold some of them are written again.
    void write(std::uint64_t first, const array_view& rows, progress_meter& meter);

    /// Puts rows where their keys belong.
    void merge(const array_view& rows, const merge_options& options, progress_meter& meter);

    /// Removes rows by key, and returns how many.
    std::uint64_t erase(const key_bound& from, const key_bound& to);

    /// Adds rows of zeros at the end, or removes rows there.
    void resize(std::uint64_t wanted);

    void set_metadata(const json& meta) { transaction_.set_metadata(kept_metadata(meta, place_->path())); }

    /// Merges chunks that are not full, without changing a row.
    void compact(progress_meter& meter);

    std::uint64_t commit();

    void discard() noexcept;

    /// Whether there are changes that are not committed.
    [[nodiscard]] bool has_changes() const noexcept { return pending_rows_ != 0 || transaction_.has_edits(); }

    /// Reserves the session for a loop: from now on only the loop commits, because a commit without the loop's position
    /// would make it write the same rows again after a restart.
    /// @throws conflict_error  another loop has reserved it
    void lend();
    void give_back() noexcept { lent_ = false; }
    /// Whether commits survive a power cut.
    [[nodiscard]] bool syncs() const noexcept { return options_.commit.sync; }

    /// A note to be committed together with the rows.
    struct note_change {
        std::string name = {};
        std::uint64_t from_step = 0;
        dataset_note to = {};
    };
    /// Puts a file for a note, which must list it.
    [[nodiscard]] std::string stage_note_file(place::parts bytes) { return transaction_.stage(bytes, rows(), ".npz"); }
    /// Commits the rows and the note.
    /// @throws conflict_error  another writer has changed the note
    std::uint64_t commit(note_change&& made);

  private:
    std::uint64_t commit_all();

    [[noreturn]] void refuse_new() const;

    /// Calls `change`; if it throws, restores edits and held rows. Files that were staged meanwhile are removed by the
    /// next commit or discard.
    /// @param into_memory  `change` only appends to the held rows: cutting them off restores them, and no copy is made
    template <class Change>
    void all_or_nothing(bool into_memory, Change&& change) {
        transaction_.check_usable();
        const std::size_t bytes = pending_.size(), rows_held = pending_rows_;
        const auto last = last_pending_;
        const auto kept = into_memory ? std::vector<std::byte>() : pending_;
        auto edits = into_memory ? std::nullopt : std::optional(transaction_.remember());
        try {
            change();
        } catch (...) {
            if (into_memory) {
                pending_.resize(bytes);
            } else {
                transaction_.go_back(std::move(*edits));
                pending_ = kept;
            }
            pending_rows_ = rows_held;
            last_pending_ = last;
            throw;
        }
    }

    [[nodiscard]] std::size_t rows_of_a_chunk() const;

    /// Where chunks end.
    /// @throws mismatch_error  `.rows_per_chunk` is a period that does not fit the keys
    [[nodiscard]] cut_rule rule() const;

    /// The number of threads that merge and write.
    [[nodiscard]] unsigned threads() const;

    /// @throws mismatch_error  always: no order
    [[noreturn]] void refuse_unordered(const char* verb) const;

    /// Whether rows to append lie in the period of the held rows, so that no chunk ends with them. False if that is not
    /// known.
    [[nodiscard]] bool stays_in_period(const array_view& view) const;

    /// Makes the edits again on the newest commit, where others have changed chunks of changes by key.
    /// @throws conflict_error  others have changed the same rows; the edits stay as they were
    void make_again();

    void append_checked(const array_view& view, progress_meter& meter);

    void write_checked(std::uint64_t first, const array_view& rows, progress_meter& meter);

    void resize_checked(std::uint64_t wanted);

    /// The rows in row-major order. Sets or checks dtype and row shape of the dataset.
    /// @throws mismatch_error  the rows do not fit the dataset
    [[nodiscard]] array_view checked(const array_view& rows);

    /// @throws mismatch_error  `more` rows after `rows` are 2^63 or more
    void check_number(std::uint64_t rows, std::uint64_t more) const;

    /// Copies rows after those that are held already.
    void hold(std::span<const std::byte> bytes, std::size_t rows);

    /// The same, and writes the held rows to a chunk file whenever a period of their keys ends.
    /// @param last_held  the last key of those that are held already
    void hold_by_period(std::span<const std::byte> bytes, std::size_t rows, const cut_rule& by,
                        const std::optional<row_key>& last_held);

    /// Writes the held rows to a chunk file, even if they do not fill a chunk.
    void flush();

    void stage_pending();

    /// Writes `count` chunks of equal length, contiguous in memory, in parallel.
    void stage_chunks(std::span<const std::byte> bytes, std::size_t chunk_rows, std::size_t count,
                      progress_meter& meter);

    /// Overwrites rows of one chunk, which begins at row `at`; `first` is the first row to overwrite.
    void write_chunk(const chunk_entry& entry, std::uint64_t at, std::uint64_t first, std::span<const std::byte> part);

    /// Overwrites rows of a zeros entry. Only these rows get files; the zeros around them stay without.
    void write_zeros(std::uint64_t first, std::span<const std::byte> part);

    /// Checks the order of rows to append.
    /// @throws mismatch_error  a key is NaN or NaT, or less than the key before it
    void check_order(std::span<const std::byte> bytes, std::size_t rows);

    /// Checks the order of rows to overwrite, including the rows before and after them.
    /// @throws mismatch_error  a key is NaN or NaT, or less than the key before it
    void check_order_between(std::uint64_t first_row, std::span<const std::byte> bytes, std::uint64_t rows);

    std::shared_ptr<place> place_;
    chunk_writer_options options_;
    transaction transaction_;
    chunk_files files_{transaction_};
    std::vector<std::byte> pending_;  // rows that do not fill a chunk yet
    std::size_t pending_rows_ = 0;
    std::optional<row_key> last_pending_;  // of the last held row
    bool lent_ = false;                    // reserved for a loop
};

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/session.ipp>
#include <ndkeep/chunks/detail/session_by_key.ipp>
#endif
