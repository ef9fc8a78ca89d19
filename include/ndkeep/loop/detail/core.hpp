// SPDX-License-Identifier: BSD-3-Clause
// A loop without the types of its chunks: how far it has come, and when that is committed.
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

/// What a pass is refused for that would go on in other rows than those that were passed over.
[[nodiscard]] mismatch_error another_source(const std::filesystem::path& file, const std::string& field,
                                            std::string expected, std::string found, std::string hint = {});

/// The chunk at hand.
struct chunk_at_hand {
    std::uint64_t first_row = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    bool is_last = false;
    bool is_warm_up = false;
};

/// One loop, of which one pass at a time goes on.
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

    void stop() noexcept { stopping_ = true; }
    void finish() noexcept { finishing_ = true; }

    /// @throws conflict_error  a pass is under way
    void check_free() const;

    /// Begins a pass from the last commit.
    /// @param into     where it commits to; nullptr: the loop's own file
    /// @param durable  makes what is relied on in the source safe from a power cut
    /// @throws mismatch_error  the pass that was committed is of another kind
    void begin(std::unique_ptr<loop_memory> into, std::function<void()> durable);

    void show(const chunk_at_hand& chunk);

    /// After the rows before the first one have been shown again: nothing that their bodies did to what is bound, put
    /// out or asked for counts.
    void end_warm_up();

    /// The body has come to its end.
    /// @param source   what has been passed over
    /// @param ends     the pass does too
    template <class Source>
    void step(Source&& source, bool ends) {
        position_.rows += chunk_.rows;
        ++position_.chunks;
        ++since_;
        if (ends || options_.every.is_due(since_, last_commit_))
            commit(source());
    }

    /// The source has come to its end without anybody's knowing before.
    template <class Source>
    void end_of_source(Source&& source) {
        if (since_ != 0)
            commit(source());
    }

    void end(bool complete) noexcept;

    /// The pass was left by another way than its end.
    void abandon() noexcept;

    /// Whether the pass before was over this range, and did not come to its end.
    [[nodiscard]] bool was_left_in(const void* range) noexcept;

    [[nodiscard]] bool is_stopping() const noexcept { return stopping_; }
    void begin_at(std::uint64_t row) noexcept { position_.rows = row; }

  private:
    [[nodiscard]] loop_memory& memory() noexcept { return sink_ != nullptr ? *sink_ : file_; }

    void release() noexcept;

    /// Makes everything what it was at the last commit.
    void restore();
    void keep(std::shared_ptr<const loop_snapshot> stored);

    void commit(json source);

    loop_options options_;
    std::string name_;
    checkpoint_file file_;
    bound_states states_;
    std::unique_ptr<loop_memory> sink_;
    std::function<void()> durable_;
    std::shared_ptr<const loop_snapshot> stored_;  // the last commit, where it has been asked for
    loop_position position_;
    chunk_at_hand chunk_;
    std::uint64_t since_ = 0;  // chunks since the last commit
    std::chrono::steady_clock::time_point last_commit_;
    bool stopping_ = false, finishing_ = false;  // asked for
    bool is_under_way_ = false;
    bool is_dirty_ = false;  // bodies have run since states were what was committed
    bool was_sink_ = false;  // of the pass before
    bool complete_ = false;
    bool was_complete_ = false;    // the pass before
    const void* range_ = nullptr;  // of the pass before, compared only
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/core.ipp>
#endif
