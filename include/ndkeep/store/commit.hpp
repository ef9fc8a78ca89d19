// SPDX-License-Identifier: BSD-3-Clause
// The protocol of a writer: files staged at once, and a commit that makes all of them count or none.
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

struct commit_options {
    bool sync = true;                                     // survive a power cut
    std::uint64_t keep = 100;                             // commits that are not pruned; everything
    std::chrono::milliseconds patience = usual_patience;  // for others who are committing
};

/// What one writer has staged, and the state it will be when it is committed.
class staging {
  public:
    /// @throws io_error  before the first commit, something that is not of this dataset is in its place
    staging(place& where, const commit_options& options);
    staging(const staging&) = delete;
    staging& operator=(const staging&) = delete;
    ~staging();

    [[nodiscard]] place& where() const noexcept { return log_.where(); }
    /// The newest commit, as far as this writer knows; number 0 if there is none.
    [[nodiscard]] const chunk_state& base() const noexcept { return base_; }
    /// The same with all edits made.
    [[nodiscard]] const chunk_state& work() const noexcept { return work_; }
    /// Whether there is something to commit: a new dataset is, as soon as it is known what its rows are.
    [[nodiscard]] bool has_edits() const noexcept;

    /// @throws conflict_error  a commit has failed, and is to be made again or given up; or nobody knows how it ended
    void check_usable() const;
    /// Whether it is not known yet if the last commit has succeeded; the next one finds out.
    [[nodiscard]] bool is_uncertain() const noexcept { return uncertain_.has_value(); }

    /// What edits have been made, to go back to.
    struct mark {
        std::size_t edits = 0;
        chunk_state work;
    };
    [[nodiscard]] mark remember() const { return {edits_.size(), work_}; }
    void go_back(mark&& to) noexcept;

    /// Puts a file under a new name, and returns it; see staged_files. It counts for nothing before a commit.
    [[nodiscard]] std::string stage(place::parts bytes, std::uint64_t row, std::string_view ending = ".npy");
    /// Makes a file durable that is put while a commit is under way.
    void sync_late(const std::string& name);

    /// Takes over what a new dataset is to be, before its first edit.
    void begin(const chunk_state& wanted);

    /// @throws conflict_error  it does not fit what is there
    void edit(chunk_edit made);

    void set_metadata(const json& meta);

    /// Gives up everything since the last commit, and goes on from the newest one.
    void discard() noexcept;

    /// Makes everything since the last commit count, on top of whatever others have committed.
    ///
    /// @param move  for chunks whose place has changed
    /// @returns the number of the newest commit
    /// @throws conflict_error  nothing is committed: an edit no longer fits, or staged files were swept
    /// @throws io_error        nothing is committed, and `commit` may be called again; or, where it says so, the
    ///                         outcome is unknown or not durable, and the writer is closed
    std::uint64_t commit(const chunk_mover& move);

  private:
    void open_newest();

    /// Where a record may name the files without our knowing, they stay.
    void forget_files() noexcept;

    [[nodiscard]] conflict_error conflict(const std::string& why) const;

    /// The files that the next commit will name. Others have failed to be put, or were merged away since.
    [[nodiscard]] std::set<std::string> added_files() const;

    /// Of the files that were staged, removes those that have come to nothing: merged away at once, or put again.
    void remove_unnamed(const std::vector<std::string>& own);

    /// Whether there are files that the newest commit does not name and this writer has not put.
    [[nodiscard]] bool may_have_orphans(const std::vector<std::string>& files) const;

    /// The newest state; nothing before the first commit, and nothing too where it was pruned while it was read.
    [[nodiscard]] std::optional<chunk_state> newest(bool& pruned);

    /// From the put of a record on, a read that fails must not be reported as "nothing is committed".
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

    [[noreturn]] void outcome_unknown(std::uint64_t number, const std::error_code& why);

    /// The state that was committed, and the one to go on from: a copy that is made while nothing is put yet.
    struct committed {
        chunk_state state, work;
    };

    /// Steps 3 to 7 of the protocol.
    [[nodiscard]] committed put_on_top(const chunk_mover& move, bool new_epoch);

    /// Of a put that was reported as failed: the state if it succeeded all the same, and nullopt if it did not, or
    /// there was none.
    [[nodiscard]] std::optional<chunk_state> outcome_of_former_put();

    /// All edits, made again if somebody else has committed.
    [[nodiscard]] chunk_state remade(const chunk_state& before, const chunk_mover& move);

    /// Long lists go into a table, so that records stay short.
    void fold(chunk_state& state);

    [[nodiscard]] std::string checked_record_text(const chunk_state& next) const;

    /// `taken`: somebody else's record has the number. `stands`: the record is where readers look for it.
    enum class put_result { taken, put, stands };

    /// Step 6.
    [[nodiscard]] put_result put(const chunk_state& next, const std::string& text);

    /// Whether the record is where readers will look for it. Its number may have been used before, and pruned.
    [[nodiscard]] bool stands(const chunk_state& next, const chunk_state& before);

    /// Step 8, and what the writer goes on from.
    void finish(committed made);

    /// What may fail, because the commit stands: leavings are removed by whoever comes next.
    void clean_up(const std::vector<std::string>& listed, const std::vector<std::string>& own);

    void prune_if_due();

    commit_log log_;
    commit_options options_;
    byte_locks locks_;
    byte_locks lease_;
    bool shares_writing_ = false;
    std::string dataset_;
    std::optional<staged_files> files_;
    chunk_state base_, work_;
    std::vector<chunk_edit> edits_;
    std::optional<json> metadata_;
    std::string id_;
    std::optional<chunk_state> uncertain_;  // a record that was put, or not
    std::uint64_t epoch_before_ = 0;
    bool first_ = true;
    bool is_followed_ = false;  // by the first record, the id that was drawn before it
    owning_process owner_;
    bool closed_ = false;
    bool committing_ = false;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/commit.ipp>
#endif
