// SPDX-License-Identifier: BSD-3-Clause
// Writing a chunked array: appending, merging by key, overwriting and resizing, in atomic commits.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/chunks/detail/access.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/detail/session.hpp>
#include <ndkeep/chunks/key.hpp>
#include <ndkeep/chunks/location.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// Writes rows of `T`, of rank N or any: appends them to a chunked array, or overwrites existing ones.
///
/// The first commit creates a dataset that does not exist. Rows are written to files in chunks of `.rows_per_chunk` as
/// soon as a chunk is full, but readers see them only after `commit()`, all or none. A commit costs as much as its new
/// rows; it also merges small chunks at the end. The destructor discards changes that are not committed.
///
/// Several writers may work at once. Concurrent appends are serialised. For any other two changes of the same rows, the
/// second commit throws conflict_error.
template <element T, std::size_t N = any_rank>
class chunk_writer {
  public:
    /// Opens an array for writing, or prepares a new one, which the first commit creates.
    /// @throws io_error        the directory cannot be created or read
    /// @throws mismatch_error  the existing dataset has another dtype, rank or order
    explicit chunk_writer(const dataset_location& where, const chunk_writer_options& options = {})
        : run_(options.run), session_(where, options) {
        if (session_.is_new())
            return;
        const auto& state = session_.state();
        const conversion fits(dtype_of<T>(), state.type, session_.where().path());
        detail::check_rank<N>(detail::shape_of_rows(state.rows, state.row_shape), session_.where().path(),
                              "chunk_writer");
    }

    /// The number of rows, including those that are not committed yet.
    [[nodiscard]] std::uint64_t rows() const noexcept { return session_.rows(); }

    /// Adds rows at the end; `rows` has one axis more than a row.
    ///
    /// If it throws, none of `rows` is added, and rows appended before can still be committed.
    /// @throws mismatch_error  the dtype or row shape differs; a key is NaN or NaT, or less than the key before it
    /// @throws io_error        disk full
    void append(const array_view& rows) {
        check(rows);
        progress_meter meter(run_, {.phase = "append", .items_total = 0, .bytes_total = rows.nbytes()});
        session_.append(rows, meter);
    }

    /// Overwrites rows from `first_row` on. Only the chunks that hold them are written again, to new files.
    /// @throws mismatch_error  the dtype or row shape differs; rows beyond the end; keys that would not be in order
    /// @throws format_error, checksum_error  a chunk to write again is damaged
    void write(std::uint64_t first_row, const array_view& rows) {
        check(rows);
        progress_meter meter(run_, {.phase = "write", .items_total = 0, .bytes_total = rows.nbytes()});
        session_.write(first_row, rows, meter);
    }

    /// Puts rows where their keys belong, in an array with `.order_by`. Rows with a key that is present go behind
    /// those.
    ///
    /// Only chunks whose keys meet those of `rows` are written again, and small ones next to them: see
    /// `.coalesce_above`. Chunks behind them keep their files, but not the numbers of their rows, so that `map_chunked`
    /// may copy them; `compact_chunked` does not change that. Memory: the rows given and two chunks, or four if threads
    /// read and write meanwhile. Two writers that
    /// merge or erase rows of ranges of keys that do not meet can both commit.
    /// @throws mismatch_error  no order; the dtype or row shape differs; a key is NaN or NaT, or less than the key
    ///                         before it; a field of `.unique_by` is unknown
    /// @throws format_error, checksum_error  a chunk to write again is damaged
    void merge(const array_view& rows, const merge_options& options = {}) {
        check(rows);
        progress_meter meter(run_, {.phase = "merge", .items_total = 0, .bytes_total = rows.nbytes()});
        session_.merge(rows, options, meter);
    }

    /// Removes the rows with `from <= key < to`, in an array with `.order_by`. If two fields order the rows, only the
    /// first one counts. Without such rows it changes nothing, so that another writer may add some at the same time.
    /// @returns the number of rows removed
    /// @throws mismatch_error  no order; a bound is NaN, or no bound for keys of this dtype
    /// @throws format_error, checksum_error  a chunk to write again is damaged
    std::uint64_t erase(const key_bound& from, const key_bound& to) { return session_.erase(from, to); }

    /// Sets the number of rows: adds rows of zeros, which use no disk space, or removes rows at the end. A new dataset
    /// has no shape of a row before its first `append`.
    /// @throws mismatch_error  the dataset is new; or it has an order, in which zeros have no place
    void resize(std::uint64_t rows) { session_.resize(rows); }

    /// Replaces the metadata at the next commit.
    /// @throws mismatch_error  `meta` is neither an object nor null
    void set_metadata(const json& meta) { session_.set_metadata(meta); }

    /// Makes all changes since the last commit visible to readers that are opened from now on.
    /// @returns the number of the commit; without changes, that of the newest known one
    /// @throws conflict_error  another writer has changed the same rows; discard the changes and try again
    /// @throws io_error        nothing is committed, and `commit` may be called again. If the error says "outcome
    ///                         unknown" or "visible, but may not survive a power cut", the writer is closed: open the
    ///                         array again to see whether it has the commit
    std::uint64_t commit() { return session_.commit(); }

    /// Discards all changes since the last commit, and continues from the newest commit of any writer.
    void discard() noexcept { session_.discard(); }

  private:
    friend struct detail::chunk_access;

    void check(const array_view& rows) const {
        const conversion fits(rows.type(), dtype_of<T>(), session_.where().path());
        detail::check_rank<N>(rows.shape(), session_.where().path(), "chunk_writer");
    }

    run_options run_;
    detail::chunk_session session_;
};

}  // namespace ndkeep
