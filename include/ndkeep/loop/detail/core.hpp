// SPDX-License-Identifier: BSD-3-Clause
// A loop without the types of its chunks: how far it has come, and when that is committed.
#pragma once

#include <ndkeep/loop/detail/checkpoint.hpp>
#include <ndkeep/loop/detail/state/slots.hpp>
#include <ndkeep/loop/options.hpp>

namespace ndkeep::detail {

/// What a pass is refused for that would go on in other rows than those that were passed over.
[[nodiscard]] inline mismatch_error another_source(const std::filesystem::path& file, const std::string& field,
                                                   std::string expected, std::string found, std::string hint = {}) {
    return mismatch_error({.file = file,
                           .field = "source of the loop" + (field.empty() ? "" : ": " + field),
                           .expected = std::move(expected),
                           .found = std::move(found),
                           .hint = std::move(hint)});
}

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
    loop_core(const std::filesystem::path& path, const loop_options& options)
        : options_(options), name_(name_text(options.name.empty() ? path.filename().string() : options.name)),
          file_(path, name_, options.sync, options.report) {
        states_.call(path);
        keep(file_.newest());
        if (stored_ != nullptr)
            position_ = stored_->position();
    }

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
    void check_free() const {
        if (is_under_way_)
            throw conflict_error({.file = path(), .field = "pass", .expected = "one at a time", .found = "another"});
    }

    /// Begins a pass from the last commit.
    /// @param into     where it commits to; nullptr: the loop's own file
    /// @param durable  makes what is relied on in the source safe from a power cut
    /// @throws mismatch_error  the pass that was committed is of another kind
    void begin(std::unique_ptr<loop_memory> into, std::function<void()> durable) {
        check_free();
        if (into != nullptr && file_.has_commit())
            throw mismatch_error({.file = path(),
                                  .field = "checkpoint",
                                  .expected = "in the array that the pass puts its rows into",
                                  .found = "in a file of its own",
                                  .hint = "it is of a pass without one"});
        stopping_ = finishing_ = false;
        was_complete_ = std::exchange(complete_, false);
        chunk_ = {};
        since_ = 0;
        // What the loop's own file says is known from its beginning on, what a sink says is not.
        const bool is_other_memory = into != nullptr || was_sink_;
        sink_ = std::move(into);
        was_sink_ = sink_ != nullptr;
        try {
            if (is_other_memory)
                stored_ = nullptr;
            if (is_other_memory || is_dirty_)
                restore();
            else
                states_.check_all_bound();
        } catch (...) {
            is_dirty_ = true;
            release();
            throw;
        }
        durable_ = std::move(durable);
        last_commit_ = std::chrono::steady_clock::now();
        is_under_way_ = true;
    }

    void show(const chunk_at_hand& chunk) {
        chunk_ = chunk;
        is_dirty_ = true;
    }

    /// After the rows before the first one have been shown again: nothing that their bodies did to what is bound, put
    /// out or asked for counts.
    void end_warm_up() {
        stopping_ = finishing_ = false;
        memory().discard();
        const auto at = position_;
        restore();
        position_ = at;
    }

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

    void end(bool complete) noexcept {
        complete_ = complete;
        chunk_ = {.first_row = position_.rows};
        release();
    }

    /// The pass was left by another way than its end.
    void abandon() noexcept {
        memory().discard();
        chunk_ = {};
        release();
    }

    /// Whether the pass before was over this range, and did not come to its end.
    [[nodiscard]] bool was_left_in(const void* range) noexcept {
        return std::exchange(range_, range) == range && range != nullptr && !was_complete_;
    }

    [[nodiscard]] bool is_stopping() const noexcept { return stopping_; }
    void begin_at(std::uint64_t row) noexcept { position_.rows = row; }

  private:
    [[nodiscard]] loop_memory& memory() noexcept { return sink_ != nullptr ? *sink_ : file_; }

    void release() noexcept {
        durable_ = nullptr;
        sink_ = nullptr;  // the pass's, which is gone
        is_under_way_ = false;
    }

    /// Makes everything what it was at the last commit.
    void restore() {
        if (stored_ == nullptr)
            keep(memory().newest());
        states_.restore();
        position_ = stored_ == nullptr ? loop_position() : stored_->position();
        is_dirty_ = false;
    }
    void keep(std::shared_ptr<const loop_snapshot> stored) {
        stored_ = std::move(stored);
        states_.store(stored_);
    }

    void commit(json source) {
        if (durable_ && memory().syncs())
            std::exchange(durable_, nullptr)();
        position_.source = std::move(source);
        if (!memory().commit(states_.pack(), position_))
            return;
        since_ = 0;
        last_commit_ = std::chrono::steady_clock::now();
        is_dirty_ = false;
        stored_ = nullptr;  // what is bound is the same
        states_.committed();
    }

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
