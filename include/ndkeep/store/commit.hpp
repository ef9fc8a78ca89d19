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
//     not fit any more is an error, because it would overwrite such rows. A merge that does not fit is dropped. If
//     staged files now begin at other rows, return them: they may need another padding. The caller stages them again
//     and continues the commit: step 1 is repeated for the new files, and step 5 follows.
//  5. Fold a long list of chunks into a table, and sync it. Then sync the names in `chunks`. Otherwise a durable record
//     can name a file whose directory entry is lost.
//  6. Put record N + 1 under a name that must be free. Otherwise two writers could both commit on top of N. If the name
//     is taken, compare the ids: a store may report a put as failed that has succeeded, and another try would write the
//     rows twice. If the record is not ours, go back to step 3. If it is gone by now, it may have been ours: the
//     outcome is unknown.
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
#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/os/process.hpp>
#include <ndkeep/store/commit_attempt.hpp>
#include <ndkeep/store/edit.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/staged_files.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
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

/// A staged file whose rows another writer's commit has moved.
struct moved_file {
    chunk_entry entry = {};
    std::uint64_t from_row = 0, to_row = 0;  // at which its rows begin: when it was staged, and now
};

/// What a commit has come to: a new commit, files that its caller must stage again for other rows, or changes by key
/// that its caller must make again.
struct commit_result {
    std::uint64_t number = 0;                           // of the commit
    std::vector<moved_file> moved = {};                 // rebased: the files to stage again
    bool is_outdated = false;                           // rebased: `transaction::start_over` must come first
    std::unique_ptr<commit_attempt> attempt = nullptr;  // rebased: what `transaction::resume` continues

    [[nodiscard]] bool is_rebased() const noexcept { return attempt != nullptr; }
};

/// The transaction of one writer: its staged files, its edits, and the state that they will make.
///
/// | phase     | what has happened                             | stage, edit | commit          | a discard     |
/// |-----------|-----------------------------------------------|-------------|-----------------|---------------|
/// | fresh     | nothing since it was opened                   | yes         | also sweeps     | removes files |
/// | open      | a commit has succeeded, or its put has failed | yes         | yes             | removes files |
/// | uncertain | the put of a record was reported as failed    | no          | first finds out | keeps files   |
/// | failed    | a sync of staged files has failed             | no          | no              | removes files |
/// | closed    | a record may count or not, or may be lost     | no          | no              | keeps files   |
///
/// A successful commit leads to `open`. A failed one leaves the phase as it was if the error came before step 6 and was
/// not a sync: a conflict, a damaged record, a full disk. A failed sync of staged files leads to `failed`, because the
/// bytes may be lost although the next sync succeeds. A put that fails in step 6 leads to `uncertain`. If it cannot be
/// found out whether a record counts, or if step 8 fails, the phase is `closed`. From `uncertain`, a commit and a
/// discard lead to `open`, a failed sync to `closed`. `failed` and `closed` are final.
///
/// The destructor discards what is not committed, and removes the staged files as far as it can. It keeps them if the
/// outcome of a commit is unknown, because a record may name them.
///
/// One thread uses it at a time, except for `stage`, which several threads may call. A forked child cannot use its
/// copy; to destroy the copy changes no file.
class transaction {
  public:
    /// Opens the newest commit, or begins a new dataset if there is none. Draws and stores the id of a new dataset.
    ///
    /// @throws io_error        a new dataset, and the place holds files that are not of this dataset
    /// @throws checksum_error  the newest record is damaged
    /// @throws format_error    the newest record is malformed, or of an unknown version
    /// @throws conflict_error  others commit and prune faster than the newest commit can be opened
    transaction(place& where, const commit_options& options);
    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;
    ~transaction();

    [[nodiscard]] place& where() const noexcept { return log_.where(); }
    /// The state that this writer's edits are applied to; number 0 before the first commit. Others may have committed
    /// since.
    [[nodiscard]] const chunk_state& base() const noexcept { return base_; }
    /// `base()` with all edits applied.
    [[nodiscard]] const chunk_state& work() const noexcept { return work_; }
    /// Whether there is anything to commit. A new dataset has, as soon as the dtype of its rows is known: even without
    /// rows it must exist for readers.
    [[nodiscard]] bool has_edits() const noexcept;

    /// Checks that the phase allows to stage and edit.
    /// @throws conflict_error  it does not; or this is a forked child
    void check_usable() const;
    /// Whether the last commit failed while its record was put. The record may exist; the next commit finds out.
    [[nodiscard]] bool is_uncertain() const noexcept { return phase_ == phase::uncertain; }

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

    /// Sets dtype, row shape, order and checksum of a new dataset. To be called before its first edit.
    void begin(const chunk_state& wanted);

    /// Applies an edit to `work()`, and notes it for the commit.
    ///
    /// @throws conflict_error  the edit does not fit `work()`, or as `check_usable`
    void edit(chunk_edit made);

    /// Replaces the metadata of the dataset. A commit takes it even if another writer has changed the metadata since.
    void set_metadata(const json& meta);

    /// Drops all edits since the last commit and removes their files, then starts again from the newest commit. The
    /// files stay if a record may name them. If the newest commit cannot be read, the base stays as it was, and
    /// the next commit reports the error.
    void discard() noexcept;

    /// Commits all edits since the last commit, on top of what others have committed meanwhile.
    ///
    /// If that moves staged files to other rows, nothing is committed yet: the edits are rebased on the newest commit,
    /// and the result lists the files. The caller stages again those that need it, and calls `resume`. It may drop the
    /// result instead, and commit later.
    /// @returns the new commit; that of `base()` if there are no edits; or the moved files
    /// @throws conflict_error  nothing is committed: an edit no longer fits, staged files were swept, or 16 tries were
    ///                         not enough
    /// @throws mismatch_error  nothing is committed: the record would be too long
    /// @throws checksum_error, format_error  nothing is committed: the newest record is damaged
    /// @throws io_error        nothing is committed, and `commit` may be called again. If the message says "outcome
    ///                         unknown" or "may not survive a power cut", or a sync has failed, the writer is closed
    [[nodiscard]] commit_result commit();
    /// Continues a commit that was rebased, and throws as `commit`.
    /// @param staged  the entries to use instead of `rebased.moved`, in their order
    [[nodiscard]] commit_result resume(commit_result&& rebased, const std::vector<chunk_entry>& staged);

    /// Removes files, after a commit that changes no row; throws as `commit`. Call it only without edits.
    /// @param orphans  names in `chunks` that no record names, listed before this transaction was opened
    void sweep(std::vector<std::string> orphans);

    /// The edits of a transaction, and the state that they were made on, with its lease.
    struct former_edits {
        chunk_state base, work;
        std::vector<chunk_edit> edits;
        byte_locks lease;
        std::vector<std::uint64_t> rows;  // noted with the edits
    };
    /// Takes the edits back and continues from the newest commit. The staged files stay. The caller makes the edits
    /// again and calls `resume`, or gives them back.
    /// @throws conflict_error, checksum_error, format_error, io_error  nothing has changed
    [[nodiscard]] former_edits start_over();
    void give_back(former_edits&& former) noexcept;

  private:
    enum class phase { fresh, open, uncertain, failed, closed };

    /// An edit, and the row at which it begins in `work_`. `edit.first_row` is the row that its files are staged for.
    struct noted_edit {
        chunk_edit edit;
        std::uint64_t row = 0;
    };

    void open_newest();

    /// Whether a record may name the staged files.
    [[nodiscard]] bool may_be_named() const noexcept { return phase_ == phase::uncertain || phase_ == phase::closed; }

    /// Removes the staged files. They stay if a record may name them: after an unknown outcome, and in a forked child,
    /// whose parent still uses them.
    void forget_files() noexcept;

    /// @param what    that another writer has done
    /// @param newest  number of the commit that was found
    [[nodiscard]] conflict_error conflict(const std::string& what, std::uint64_t newest) const;

    /// @throws conflict_error  the phase allows no commit; or this is a forked child
    void check_may_commit() const;

    /// Runs a part of a commit. If a sync of staged files fails in it, the phase becomes `failed` or `closed`.
    template <class Part>
    [[nodiscard]] commit_result guarded(Part&& part) {
        try {
            return part();
        } catch (...) {
            if (files_->has_failed())
                phase_ = may_be_named() ? phase::closed : phase::failed;
            throw;
        }
    }

    /// Step 1.
    void sync_added_files();

    /// The files of `work()` that no table lists, new ones among them. A later edit may have replaced what an earlier
    /// one has added.
    [[nodiscard]] std::set<std::string> named_entries() const;

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

    /// Leads to `closed`.
    /// @throws io_error  always
    [[noreturn]] void outcome_unknown(std::uint64_t number, const std::error_code& why);

    /// The state that was committed, and a copy as the next working state. The copy is made before the put: running out
    /// of memory after it would report a commit as failed that stands.
    struct committed {
        chunk_state state, work;
        bool sweeps = false;  // its epoch is new
    };

    /// Steps 3 to 8, and the cleaning.
    /// @param is_resumed  the edits are rebased already: the first try begins with step 5
    [[nodiscard]] commit_result put_on_top(std::unique_ptr<commit_attempt> attempt, bool is_resumed);

    /// The state of an uncertain put that has succeeded; nullopt if it has not, or if there was none. Removes our
    /// record if it does not count. Leads to `open`.
    /// @throws io_error  the outcome stays unknown
    [[nodiscard]] std::optional<chunk_state> outcome_of_former_put();

    /// `pruned`: the newest state was pruned while it was read. `outdated`: a change by key does not fit as it is.
    enum class rebase_result { rebased, pruned, outdated };
    /// Steps 3 and 4.
    /// @throws conflict_error  an edit no longer fits, or staged files were swept: the edits stay as they were
    [[nodiscard]] rebase_result rebase();
    /// Step 4, if another writer has committed since `base()`.
    [[nodiscard]] rebase_result rebase_on(const chunk_state& newest);

    /// @throws conflict_error  another writer has begun a sweep, or has changed what rows are
    void check_form(const chunk_state& newest) const;

    /// The staged files that are not at the row that they were staged for.
    [[nodiscard]] std::vector<moved_file> moved_files() const;

    /// Replaces the entries of moved files in the edits and in `work_`.
    void use_instead(const std::vector<chunk_entry>& staged);

    /// Step 5: moves the end of a long list of items into a table. Every record holds the complete state, so its length
    /// must not grow with the number of chunks.
    void fold(chunk_state& state);

    /// @throws mismatch_error  readers would reject the record as too long
    [[nodiscard]] std::string checked_record_text(const chunk_state& next) const;

    /// `taken`: another writer's record has the number. `put`: our record is present, step 7 must follow. `stands`: our
    /// record is present and counts.
    enum class put_result { taken, put, stands };

    /// Step 6. The phase is `uncertain` from the put on.
    /// @throws io_error  the put has failed; or the outcome is unknown
    [[nodiscard]] put_result put(const chunk_state& next, const std::string& text);

    /// Step 7: whether the record counts. False after its removal, if its number had been used before and pruned.
    /// @throws io_error  the outcome is unknown
    [[nodiscard]] bool stands(const chunk_state& next);

    /// Step 8; then `base()` and `work()` become the committed state.
    /// @throws io_error  visible, but not durable
    void finish(committed made);

    /// Removes unused files, sweeps and prunes. Errors are ignored: the commit stands, and a later sweep removes what
    /// is left.
    void clean_up(const commit_attempt& attempt, bool sweeps, const std::vector<std::string>& own);

    /// Prunes once twice `keep` records exist, so that many small commits do not fill the disk.
    void prune_if_due();

    commit_log log_;
    commit_options options_;
    byte_locks locks_;  // `lock_writing`, held shared; closed if the place has no such lock
    byte_locks lease_;  // the number of `base_`, held shared: merging and writing read its chunks
    std::string dataset_;
    std::optional<staged_files> files_;
    chunk_state base_, work_;
    std::vector<noted_edit> edits_;
    std::optional<json> metadata_;  // replaces that of the newest state
    phase phase_ = phase::fresh;
    std::string id_;                // of the record, the same in all tries of one commit
    std::uint64_t put_number_ = 0;  // uncertain: of the record that was put
    owning_process owner_;
};

/// Removes the files of a place without locks that no record names and that are old enough: see place::abandoned. If
/// another writer gets in the way, or a record cannot be read, they stay until the next time.
void sweep_abandoned(place& where);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/commit.ipp>
#include <ndkeep/store/commit_steps.ipp>
#endif
