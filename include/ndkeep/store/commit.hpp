// SPDX-License-Identifier: BSD-3-Clause
// The transaction of one writer: it stages new files, and one commit makes all of them visible or none.
//
// A commit puts one record, number N + 1, that holds the complete new state. Readers see the commit from step 6 on, and
// it survives a power cut from step 8 on. Without `sync`, nothing is synced and nothing is promised about a power cut.
// The writer noted the epoch of the newest state before it staged its first file.
//
//  1. Sync the staged files that the record will name. Otherwise a power cut can leave a durable record and lose the
//     bytes of its files. Without `sync`, check that the files are still present.
//  2. Wait for the turn, at most `patience`. This avoids commits that must be made again, and a writer that never gets
//     through. Correctness does not depend on it.
//  3. Read the newest state, number N. If its epoch is not the noted one, throw: staged files look like orphans, and a
//     sweep may have removed ours. If N was pruned while it was read, read again.
//  4. Apply the edits to N. Otherwise rows that another writer has committed since would be lost. An edit that does
//     not fit any more is an error, because it would overwrite such rows. A merge that does not fit is dropped.
//  5. Put chunks again that need another padding at their new row, and fold a long list into a table. Sync these files,
//     then the names in `chunks`. Otherwise a durable record can name a file whose directory entry is lost.
//  6. Put record N + 1 under a name that must be free. Otherwise two writers could both commit on top of N. If the name
//     is taken, compare the ids: a store may report a put as failed that has succeeded, and another try would write the
//     rows twice. If the record is not ours, go back to step 3.
//  7. Check that record N is still present. Pruning frees numbers: a writer that was stopped between 3 and 6 may have
//     put its record below the newest one, where no reader looks. Pruning removes ascending numbers, so if N is
//     present, N + 1 was never used before. If N is gone, the record counts only as the newest one, or as the parent of
//     N + 2. Otherwise remove it and go back to step 3; if it is gone too, the outcome is unknown.
//  8. Sync the names in `commits`. Until then, a power cut can take the visible commit back. If this fails, the writer
//     is closed, because a second sync may report success for a name that was lost.
//
// Steps 3 to 7 are tried at most 16 times. Cleaning up follows: unused files of this writer are removed, orphans are
// swept and old commits are pruned. Errors of the cleaning are ignored, because the commit stands.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/os/byte_locks.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/store/edit.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/staged_files.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// How a writer commits.
struct commit_options {
    bool sync = true;                                     // a commit survives a power cut
    std::uint64_t keep = 100;                             // newest commits that are kept; the largest number keeps all
    std::chrono::milliseconds patience = usual_patience;  // longest wait for another writer's commit
};

/// The transaction of one writer: its staged files, its edits, and the state that they will make.
///
/// The destructor discards what is not committed, and removes the staged files as far as it can. It keeps them if the
/// outcome of a commit is unknown, because a record may name them.
///
/// One thread uses it at a time, except for `stage`, which several threads may call. A forked child cannot use its
/// copy; to destroy the copy changes no file.
class staging {
  public:
    /// Opens the newest commit, or begins a new dataset if there is none. Draws and stores the id of a new dataset.
    ///
    /// @throws io_error        a new dataset, and the place holds files that are not of this dataset
    /// @throws checksum_error  the newest record is damaged
    /// @throws format_error    the newest record is malformed, or of an unknown version
    /// @throws conflict_error  others commit and prune faster than the newest commit can be opened
    staging(place& where, const commit_options& options);
    staging(const staging&) = delete;
    staging& operator=(const staging&) = delete;
    ~staging();

    [[nodiscard]] place& where() const noexcept { return log_.where(); }
    /// The state that this writer's edits started from; number 0 before the first commit. Others may have committed
    /// since.
    [[nodiscard]] const chunk_state& base() const noexcept { return base_; }
    /// `base()` with all edits applied.
    [[nodiscard]] const chunk_state& work() const noexcept { return work_; }
    /// Whether there is anything to commit. A new dataset has, as soon as the dtype of its rows is known: even without
    /// rows it must exist for readers.
    [[nodiscard]] bool has_edits() const noexcept;

    /// @throws conflict_error  the last commit has failed, and `commit` or `discard` must be called first; or the
    ///                         writer is closed, because the outcome is unknown or not durable, or because a sync has
    ///                         failed; or this is a forked child
    void check_usable() const;
    /// Whether the last commit failed while its record was put. The record may exist; the next commit finds out.
    [[nodiscard]] bool is_uncertain() const noexcept { return uncertain_.has_value(); }

    /// The edits made so far, as a point to return to.
    struct mark {
        std::size_t edits = 0;
        chunk_state work;
    };
    [[nodiscard]] mark remember() const { return {edits_.size(), work_}; }
    /// Drops the edits made since `to`. Files staged since then stay until the next commit or discard.
    void go_back(mark&& to) noexcept;

    /// Puts a file into `chunks` under a new name, and returns the name. No record names it before a commit.
    ///
    /// @param row  first row of the file; becomes part of the name, see staged_files
    /// @throws conflict_error  as `check_usable`
    /// @throws io_error        the file cannot be written
    [[nodiscard]] std::string stage(place::parts bytes, std::uint64_t row, std::string_view ending = ".npy");
    /// Syncs a file that is staged during a commit, because step 1 has passed. Does nothing without `sync`.
    void sync_late(const std::string& name);

    /// Sets dtype, row shape, order and checksum of a new dataset. To be called before its first edit.
    void begin(const chunk_state& wanted);

    /// Applies an edit to `work()`, and notes it for the commit.
    ///
    /// @throws conflict_error  the edit does not fit `work()`, or as `check_usable`
    void edit(chunk_edit made);

    /// Replaces the metadata of the dataset. A commit takes it even if another writer has changed the metadata since.
    void set_metadata(const json& meta);

    /// Drops all edits since the last commit and removes their files, then starts again from the newest commit. The
    /// files stay if the last commit is uncertain. If the newest commit cannot be read, the base stays as it was, and
    /// the next commit reports the error.
    void discard() noexcept;

    /// Commits all edits since the last commit, on top of what others have committed meanwhile.
    ///
    /// @param move  puts a chunk again whose first row has changed
    /// @returns the number of the new commit; of `base()` if there are no edits
    /// @throws conflict_error  nothing is committed: an edit no longer fits, staged files were swept, or 16 tries were
    ///                         not enough
    /// @throws mismatch_error  nothing is committed: the record would be too long
    /// @throws checksum_error, format_error  nothing is committed: the newest record is damaged
    /// @throws io_error        nothing is committed, and `commit` may be called again. If the message says "outcome
    ///                         unknown" or "may not survive a power cut", or a sync has failed, the writer is closed
    std::uint64_t commit(const chunk_mover& move);

  private:
    void open_newest();

    /// Removes the staged files. They stay if a record may name them: after an unknown outcome, and in a forked child,
    /// whose parent still uses them.
    void forget_files() noexcept;

    [[nodiscard]] conflict_error conflict(const std::string& why) const;

    /// The files that the next commit will name. Other staged files could not be put, or a merge has replaced them.
    [[nodiscard]] std::set<std::string> added_files() const;

    /// Removes files from `own` that the commit does not name: merged into others before the commit, or put again for
    /// another row.
    void remove_unnamed(const std::vector<std::string>& own);

    /// Whether `files` has names from this dataset that `base()` does not name and that this writer has not put. They
    /// may still belong to an older commit; the sweep looks more closely.
    [[nodiscard]] bool may_have_orphans(const std::vector<std::string>& files) const;

    /// The newest state; nullopt before the first commit, or if it was pruned while it was read.
    /// @param pruned  tells the two apart
    [[nodiscard]] std::optional<chunk_state> newest(bool& pruned);

    /// Runs a check that follows the put of a record, and turns its errors into "outcome unknown". An ordinary error
    /// would mean "nothing is committed", and the caller would write the rows again.
    template <class Look>
    [[nodiscard]] auto or_unknown(std::uint64_t number, Look&& look) {
        try {
            return look();
        } catch (const io_error& problem) {
            outcome_unknown(number, problem.code());
        } catch (const error&) {
            outcome_unknown(number, std::make_error_code(std::errc::io_error));
        }
    }

    /// Closes the writer.
    /// @throws io_error  always
    [[noreturn]] void outcome_unknown(std::uint64_t number, const std::error_code& why);

    /// The state that was committed, and a copy as the next working state. The copy is made before the put: running out
    /// of memory after it would report a commit as failed that stands.
    struct committed {
        chunk_state state, work;
    };

    /// Steps 3 to 7.
    /// @param new_epoch  the commit precedes a sweep
    [[nodiscard]] committed put_on_top(const chunk_mover& move, bool new_epoch);

    /// The state of an uncertain put that has succeeded; nullopt if it has not, or if there was none. Removes our
    /// record if it does not count.
    /// @throws io_error  the outcome stays unknown
    [[nodiscard]] std::optional<chunk_state> outcome_of_former_put();

    /// Step 4: `before` with all edits. They are applied again only if another writer has committed since `base()`.
    /// @throws conflict_error  an edit no longer fits
    [[nodiscard]] chunk_state remade(const chunk_state& before, const chunk_mover& move);

    /// Step 5: moves the end of a long list of items into a table. Every record holds the complete state, so its length
    /// must not grow with the number of chunks.
    void fold(chunk_state& state);

    /// @throws mismatch_error  readers would reject the record as too long
    [[nodiscard]] std::string checked_record_text(const chunk_state& next) const;

    /// `taken`: another writer's record has the number. `put`: our record is present, step 7 must follow. `stands`: our
    /// record is present and counts.
    enum class put_result { taken, put, stands };

    /// Step 6.
    [[nodiscard]] put_result put(const chunk_state& next, const std::string& text);

    /// Step 7: whether the record counts. False after its removal, if its number had been used before and pruned.
    /// @throws io_error  the outcome is unknown
    [[nodiscard]] bool stands(const chunk_state& next, const chunk_state& before);

    /// Step 8; then `base()` and `work()` become the committed state.
    /// @throws io_error  visible, but not durable
    void finish(committed made);

    /// Removes unused files, sweeps and prunes. Errors are ignored: the commit stands, and a later sweep removes what
    /// is left.
    /// @param listed  names in `chunks` from before step 3
    void clean_up(const std::vector<std::string>& listed, const std::vector<std::string>& own);

    /// Prunes once twice `keep` records exist, so that many small commits do not fill the disk.
    void prune_if_due();

    commit_log log_;
    commit_options options_;
    byte_locks locks_;             // `lock_writing`, held shared
    byte_locks lease_;             // the number of `base_`, held shared: merging and writing read its chunks
    bool shares_writing_ = false;  // `locks_` has it
    std::string dataset_;
    std::optional<staged_files> files_;
    chunk_state base_, work_;
    std::vector<chunk_edit> edits_;
    std::optional<json> metadata_;          // replaces that of the newest state
    std::string id_;                        // of the record, the same in all tries of one commit
    std::optional<chunk_state> uncertain_;  // a record that may or may not have been put
    std::uint64_t epoch_before_ = 0;        // of the state that the commit was made on
    bool first_ = true;                     // no commit has succeeded yet; only the first one sweeps
    bool is_followed_ = false;              // the first record exists, so the file with the drawn id is obsolete
    owning_process owner_;
    bool closed_ = false;      // the last commit is unknown or not durable
    bool committing_ = false;  // `commit` is running, and may use an uncertain writer
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/commit.ipp>
#endif
