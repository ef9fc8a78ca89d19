// SPDX-License-Identifier: BSD-3-Clause
// Rows on their way into a chunked array, whatever their type: cut into chunk files, and noted as edits.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/chunks/detail/files.hpp>
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

/// A writer of rows without their C++ type.
class chunk_session {
  public:
    chunk_session(std::unique_ptr<place> where, const chunk_writer_options& options);

    [[nodiscard]] place& where() const noexcept { return *place_; }
    [[nodiscard]] const chunk_state& state() const noexcept { return transaction_.work(); }
    [[nodiscard]] std::uint64_t rows() const noexcept { return state().rows + pending_rows_; }
    /// Whether nothing says yet what the rows are.
    [[nodiscard]] bool is_new() const noexcept { return state().type.size() == 0; }

    /// Says what the rows of a new dataset are, or checks it against one that is there.
    void expect(const dtype& type, const std::vector<std::size_t>& row_shape);

    /// Replaces all rows, and what they are.
    void start_anew(const dtype& type, const std::vector<std::size_t>& row_shape,
                    const std::optional<std::string>& order_by);

    void append(const array_view& rows, progress_meter& meter);

    /// Other rows in place of some that are there; chunks that are touched are written again.
    void write(std::uint64_t first, const array_view& rows, progress_meter& meter);

    /// More rows, of zeros, or fewer.
    void resize(std::uint64_t wanted);

    void set_metadata(const json& meta) { transaction_.set_metadata(kept_metadata(meta, place_->path())); }

    /// The same rows in chunks as long as they should be.
    void compact(progress_meter& meter);

    std::uint64_t commit();

    void discard() noexcept;

    /// Whether there is anything that is not committed.
    [[nodiscard]] bool has_changes() const noexcept { return pending_rows_ != 0 || transaction_.has_edits(); }

    /// While it is lent to a loop, nobody else commits.
    /// @throws conflict_error  another loop has it
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

    /// Calls what stages and edits; if it throws, this is as it was before.
    /// @param into_memory  nothing can be staged, so that what is held need not be kept aside
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

    void append_checked(const array_view& view, progress_meter& meter);

    void write_checked(std::uint64_t first, const array_view& rows, progress_meter& meter);

    void resize_checked(std::uint64_t wanted);

    /// The rows in row-major order, of the shape that the dataset has.
    [[nodiscard]] array_view checked(const array_view& rows);

    void hold(std::span<const std::byte> bytes, std::size_t rows);

    void flush();

    void stage_pending();

    /// Chunks of equal length that lie in memory one behind the other.
    void stage_chunks(std::span<const std::byte> bytes, std::size_t chunk_rows, std::size_t count,
                      progress_meter& meter);

    void write_chunk(const chunk_entry& entry, std::uint64_t at, std::uint64_t first, std::span<const std::byte> part);

    /// Rows where there was no file yet: only they get one.
    void write_zeros(std::uint64_t first, std::span<const std::byte> part);

    /// Rows that are to stand behind all others.
    void check_order(std::span<const std::byte> bytes, std::size_t rows);

    /// Rows that are to stand among others.
    void check_order_between(std::uint64_t first_row, std::span<const std::byte> bytes, std::uint64_t rows);

    std::unique_ptr<place> place_;
    chunk_writer_options options_;
    transaction transaction_;
    chunk_files files_{transaction_};
    std::vector<std::byte> pending_;  // rows that do not fill a chunk yet
    std::size_t pending_rows_ = 0;
    std::optional<statistics::number> last_pending_;
    bool lent_ = false;
};

}  // namespace detail

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/session.ipp>
#endif
