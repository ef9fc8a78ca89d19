// SPDX-License-Identifier: BSD-3-Clause
// The core of a loop without the types of its chunks: position, states, and when they are committed.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/loop/detail/checkpoint.hpp>
#include <ndkeep/loop/detail/state/slots.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The error when a resumed pass finds a different source.
[[nodiscard]] mismatch_error another_source(const std::filesystem::path& file, const std::string& field,
                                            std::string expected, std::string found, std::string hint = {});

/// The chunk that the body processes now.
struct chunk_at_hand {
    std::uint64_t first_row = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    bool is_last = false;     // known to be the last one of the source
    bool is_warm_up = false;  // lies before the first new row; its effects are undone
};

/// One loop. One pass at a time is active.
class loop_core {
  public:
    loop_core(const std::filesystem::path& path, const loop_options& options);

    [[nodiscard]] bound_states& states() noexcept { return states_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return file_.path(); }
    [[nodiscard]] const chunk_at_hand& chunk() const noexcept { return chunk_; }
    [[nodiscard]] const loop_position& position() const noexcept { return position_; }
    [[nodiscard]] bool is_last() const noexcept { return !chunk_.is_warm_up && (chunk_.is_last || finishing_); }
    [[nodiscard]] bool is_complete() const noexcept { return complete_; }

    [[nodiscard]] checkpoint_file& checkpoint() noexcept { return file_; }

    /// Adds rows to the output file of the pass.
    /// @throws mismatch_error  the pass has none
    void append(const array_view& rows) { memory().append(rows); }

    /// Ends the pass after this chunk, with a commit.
    void stop() noexcept { stopping_ = true; }
    /// The same, and the chunk counts as the last one of the source.
    void finish() noexcept { finishing_ = true; }

    /// @throws conflict_error  a pass is active
    void check_free() const;

    /// Begins a pass: position and states become those of the last commit.
    /// @param into     where the pass commits to; nullptr: the checkpoint file
    /// @param durable  syncs the source, so that the position stays valid after a power cut; may be empty
    /// @throws mismatch_error  the last commit is in the file, but `into` is given; or states are not bound
    void begin(std::unique_ptr<loop_memory> into, std::function<void()> durable);

    /// A body is about to process this chunk.
    void show(const chunk_at_hand& chunk);

    /// Ends the warm-up: undoes what its bodies did to bound states and the sink, and ignores their `stop` and
    /// `finish`.
    void end_warm_up();

    /// The body has ended normally: counts its chunk, and commits if it is time.
    /// @param source  returns the identity of the source, with all that was processed
    /// @param ends    the pass ends as well, so that it must commit
    template <class Source>
    void step(Source&& source, bool ends) {
        position_.rows += chunk_.rows;
        ++position_.chunks;
        ++since_;
        if (ends || options_.every.is_due(since_, last_commit_))
            commit(source());
    }

    /// The source has ended, and the last chunk was not known to be the last: commits what is not committed yet.
    template <class Source>
    void end_of_source(Source&& source) {
        if (since_ != 0)
            commit(source());
    }

    /// Ends the pass normally.
    /// @param complete  it reached the end of the source
    void end(bool complete) noexcept;

    /// The pass was left by `break`, `return` or an exception: discards all changes since the last commit.
    void abandon() noexcept;

    /// Remembers the range of this pass. True if the pass before used the same range and did not reach its end.
    [[nodiscard]] bool was_left_in(const void* range) noexcept;

    [[nodiscard]] bool is_stopping() const noexcept { return stopping_; }
    void begin_at(std::uint64_t row) noexcept { position_.rows = row; }

  private:
    [[nodiscard]] loop_memory& memory() noexcept { return sink_ != nullptr ? *sink_ : file_; }

    void release() noexcept;

    /// Sets position and states to those of the last commit, or to the initial ones before the first commit.
    void restore();
    void keep(std::shared_ptr<const loop_snapshot> stored);

    /// Commits position and states, if the sink is ready for a commit.
    void commit(json source);

    loop_options options_;
    std::string name_;
    checkpoint_file file_;
    bound_states states_;
    std::unique_ptr<loop_memory> sink_;
    std::function<void()> durable_;
    std::shared_ptr<const loop_snapshot> stored_;  // the last commit if it was read; nullptr: read it when needed
    loop_position position_;
    chunk_at_hand chunk_;
    std::uint64_t since_ = 0;  // chunks since the last commit
    std::chrono::steady_clock::time_point last_commit_;
    bool stopping_ = false, finishing_ = false;  // `stop` or `finish` was called in this pass
    bool is_under_way_ = false;                  // a pass is active
    bool is_dirty_ = false;                      // bodies have run since the states were those of the last commit
    bool was_sink_ = false;                      // the newest pass commits, or committed, into a sink
    bool complete_ = false;                      // the newest pass has reached the end of its source
    bool was_complete_ = false;                  // the same of the pass before
    const void* range_ = nullptr;                // range of the newest pass; only compared, never read
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/core.ipp>
#endif
