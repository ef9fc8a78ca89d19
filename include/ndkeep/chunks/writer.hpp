// SPDX-License-Identifier: BSD-3-Clause
// Writing a chunked array: rows appended, replaced, cut off, in commits that count whole or not at all.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/chunks/detail/access.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/detail/session.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// Writes rows of `T`, of rank N or any, at the end of a chunked array, or in place of others.
///
/// A dataset that is not there is made by the first commit. Rows reach files at once, in chunks of `.rows_per_chunk`,
/// and readers after `commit()`: all of them, or none. A commit costs the rows that are new; small chunks at the end
/// are put together on the way. What is not committed when the writer is destroyed never was. Two writers: rows that
/// both append stand one behind the other; any other two changes of the same rows are a conflict_error for the one that
/// comes second.
template <element T, std::size_t N = any_rank>
class chunk_writer {
  public:
    /// @throws io_error        the directory cannot be made or read
    /// @throws mismatch_error  the dataset that is there has another dtype, rank or order
    explicit chunk_writer(const std::filesystem::path& path, const chunk_writer_options& options = {})
        : chunk_writer(std::make_unique<local_place>(path, local_place::access::write), options) {}
    /// The same wherever the bytes live.
    explicit chunk_writer(std::unique_ptr<place> where, const chunk_writer_options& options = {})
        : run_(options.run), session_(std::move(where), options) {
        if (session_.is_new())
            return;
        const auto& state = session_.state();
        const conversion fits(dtype_of<T>(), state.type, session_.where().path());
        detail::check_rank<N>(detail::shape_of_rows(state.rows, state.row_shape), session_.where().path(),
                              "chunk_writer");
    }

    /// Rows with those that are not committed yet.
    [[nodiscard]] std::uint64_t rows() const noexcept { return session_.rows(); }

    /// Adds rows at the end; an array of one axis more than a row has.
    /// @throws mismatch_error  another dtype or row shape; keys that are out of order, with both of them; NaN and NaT
    /// @throws io_error        disk full: rows appended before are still to be committed
    void append(const array_view& rows) {
        check(rows);
        progress_meter meter(run_, {.phase = "append", .items_total = 0, .bytes_total = rows.nbytes()});
        session_.append(rows, meter);
    }

    /// Puts other rows in place of those from `first_row` on; only the chunks that they touch are written again.
    void write(std::uint64_t first_row, const array_view& rows) {
        check(rows);
        progress_meter meter(run_, {.phase = "write", .items_total = 0, .bytes_total = rows.nbytes()});
        session_.write(first_row, rows, meter);
    }

    /// Makes the array longer by rows of zeros, which take no room, or cuts it off.
    void resize(std::uint64_t rows) { session_.resize(rows); }

    /// @throws mismatch_error  neither an object nor null
    void set_metadata(const json& meta) { session_.set_metadata(meta); }

    /// Makes everything since the last commit appear to readers that are opened from now on.
    /// @returns the number of the commit
    /// @throws conflict_error  others have changed the same rows meanwhile
    /// @throws io_error        nothing is committed, and `commit` may be called again; or, where it says "outcome
    ///                         unknown", open the array again and look
    std::uint64_t commit() { return session_.commit(); }

    /// Forgets everything since the last commit, and goes on from the newest one, whoever made it.
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
